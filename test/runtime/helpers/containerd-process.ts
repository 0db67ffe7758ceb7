/**
 * The process of a lab's runtime, to be stopped in its tracks and let go again.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { eventually } from "./expectations.js";

/** The process id of the containerd behind an endpoint of the lab. */
export function containerdPid(endpoint: string): number {
  const config = join(dirname(endpoint.replace(/^unix:\/\//, "")), "config.toml");
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    let words: string[];
    try {
      words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
    } catch {
      continue; // gone meanwhile
    }
    if (words[0]?.endsWith("/containerd") && words.includes(config)) return Number(entry);
  }
  throw new Error(`no process serves ${endpoint}`);
}

/**
 * Stops a process for the time of a block: it neither runs nor ends. Resolves when all its threads have come to rest, and the
 * nsenter that stands guard over it, which stops itself along with it and has to be let go as well.
 */
export async function freeze(pid: number): Promise<{ thaw(): void } & Disposable> {
  const guard = Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
  const guarded = readFileSync(`/proc/${guard}/comm`, "utf8").trim() === "nsenter";
  const all = guarded ? [pid, guard] : [pid];
  await eventually(
    () => {
      // More than once: a guard that has just been let go passes that on in its own time.
      process.kill(pid, "SIGSTOP");
      return all.flatMap(threadStates);
    },
    (states) => states.every((state) => state === "T"),
  );
  const thaw = () => {
    for (const one of all) process.kill(one, "SIGCONT");
  };
  return { thaw, [Symbol.dispose]: thaw };
}

function threadStates(pid: number): (string | undefined)[] {
  return readdirSync(`/proc/${pid}/task`).map(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8").replace(/^.*\) /, "")[0],
  );
}
