import type { Container, CriClient, PodSandbox } from "../../index.js";
import { type CommandModule, ExitError } from "../command.js";
import { forEachSelected } from "../for-each-selected.js";
import { addSelectOptions, namesHelp, type SelectOptions, selectAll } from "../select.js";
import { duration, labels } from "../values.js";

interface RmOptions extends SelectOptions {
  label?: Record<string, string>;
  force?: boolean;
  gracePeriod?: number;
  rootDirectory?: string;
}

/** `rm`: removes pods and containers. */
export const rm: CommandModule<RmOptions> = {
  define(command) {
    command
      .argument("[NAME...]", "pods or containers")
      .option("-f, --force", "also remove pods that are ready and containers that run: stops them first")
      .option("-l, --label <selector>", "the pods with these labels, or the containers with --type container", labels)
      .option(
        "--grace-period <duration>",
        "with --force, time between the stop signal and SIGKILL (default: none; of a pod of the command run, its own)",
        duration,
      )
      .option(
        "--root-directory <directory>",
        "where the command run keeps the files of pods, if it had this option, too",
      );
    addSelectOptions(command);
    command.addHelpText(
      "after",
      `${namesHelp}
Removing a pod removes its containers. Volumes and logs are removed for pods of the command run. For others, logs stay:
see prune logs.

Examples:
  k8s-cri-client rm web/main               a container that has exited
  k8s-cri-client rm -f shop/web            a pod with its containers, even if they run
  k8s-cri-client rm -f -l app=shop`,
    );
  },

  async run(invocation, names, options) {
    const cri = await invocation.connect();
    const gracePeriodSeconds = options.gracePeriod === undefined ? undefined : options.gracePeriod / 1_000;
    return forEachSelected(invocation, await selectAll(cri, names, options), async ({ object }) => {
      if (!options.force) await requireStopped(object);
      await remove(cri, object, { ...options, gracePeriodSeconds });
    });
  },
};

async function requireStopped(object: PodSandbox | Container): Promise<void> {
  const state = await object.state();
  if (state !== "ready" && state !== "running") return;
  throw new ExitError(`the ${object.kind} is ${state}; stop it first, or use --force`, 1);
}

/** Removes a pod that was run from a manifest with its files, too. */
async function remove(
  cri: CriClient,
  object: PodSandbox | Container,
  { gracePeriodSeconds, rootDirectory }: { gracePeriodSeconds: number | undefined; rootDirectory?: string },
): Promise<void> {
  if (object.kind === "pod") {
    const { removePod, wasRunFromManifest } = await import("../../kubernetes/index.js");
    const status = await object.status();
    if (status.metadata && wasRunFromManifest(status)) {
      const node = rootDirectory === undefined ? undefined : { rootDirectory };
      return removePod(cri, status.metadata, { node, gracePeriodSeconds });
    }
  }
  await object.remove({ gracePeriodSeconds });
}
