import { contentOf } from "../lab/files.js";
import { processIds } from "../lab/processes.js";

/**
 * Finds the process of this machine whose command line contains an argument. Returns its ids: first as this process sees it, then
 * in the PID namespaces of the runtime and of the container, if they have their own. Returns an empty list unless exactly one
 * process matches.
 */
export function pidsOf(argument: string): number[] {
  const found = processIds()
    .filter((pid) => contentOf(`/proc/${pid}/cmdline`).split("\0").includes(argument))
    .map(
      (pid) =>
        /^NSpid:\t(.*)$/m
          .exec(contentOf(`/proc/${pid}/status`))?.[1]
          ?.split("\t")
          .map(Number) ?? [],
    );
  return found.length === 1 ? found[0]! : [];
}

/** Lists the processes of this machine with an id in the path of their control group. */
export function pidsInCgroup(id: string): number[] {
  return processIds().filter((pid) => contentOf(`/proc/${pid}/cgroup`).includes(id));
}
