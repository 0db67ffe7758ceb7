import { InvalidArgumentError, Option } from "commander";
import { type CriClient, CriError, RegistryCredentials } from "../../../index.js";
import { errorMessage } from "../../../internal/error-message.js";
import { readRegular } from "../../../internal/files/open-regular.js";
import {
  describeNode,
  fromKubeletConfiguration,
  type NodeOverrides,
  type PodPlan,
  planPod,
  type RunningPod,
} from "../../../kubernetes/index.js";
import { type CommandModule, ExitError, type Invocation, UsageError } from "../../command.js";
import { ownFailureOf } from "../../failures.js";
import { structured } from "../../output/format.js";
import { printable } from "../../output/table.js";
import { duration } from "../../values.js";
import { LogPrinter } from "../logs/log-printer.js";
import { type InputOptions, readInput } from "./input.js";
import { exitCodeOf, followPod, noteEvents } from "./progress.js";

interface RunOptions extends InputOptions {
  detach?: boolean;
  readyTimeout: number;
  dryRun?: boolean;
  output: "yaml" | "json";
  authFile?: string[];
  kubeletConfig?: string;
  rootDirectory?: string;
  quiet?: boolean;
}

/** The largest configuration of a kubelet to read, in bytes. */
const maxConfigBytes = 1024 * 1024;

const collect = (value: string, values: string[] = []) => [...values, value];

/** `run`: runs the pods of manifests, or an image, and ends with their exit code. */
export const run: CommandModule<RunOptions> = {
  define(command) {
    command
      .argument("[IMAGE]", "an image to run once, instead of manifests")
      .argument("[COMMAND...]", "arguments for the program of the image, or the command if it has none")
      .passThroughOptions()
      .option(
        "-f, --file <file>",
        "a manifest, a directory of manifests, or - for stdin; may be given several times",
        collect,
      )
      .option("-d, --detach", "leave the pods running when they are ready, and print their ids")
      .addOption(
        new Option("--ready-timeout <duration>", "with --detach, how long the pods may take; 0 for no limit")
          .argParser(duration)
          .default(300_000, "5m"),
      )
      .option("--dry-run", "print the plan, and run nothing")
      .addOption(
        new Option("-o, --output <format>", "how to print the plan of --dry-run")
          .choices(["yaml", "json"])
          .default("yaml"),
      )
      .option("-n, --namespace <name>", "the namespace of pods whose manifest names none")
      .option("--ignore-unknown", "ignore objects that have no effect on a single node, such as an Ingress")
      .option(
        "--auth-file <file>",
        "a configuration file of Docker or Podman with credentials; may be given several times (default: those of this user)",
        collect,
      )
      .option("--name <name>", "the name of the pod of an image (default: one that is not taken)")
      .option("--env <variable>", "a variable of an image, NAME=VALUE; may be given several times", variable)
      .option("--host-network", "run an image in the network of the node")
      .option("--kubelet-config <file>", "settings of the node, from the configuration of a kubelet")
      .option("--root-directory <directory>", "where the files of pods are (default: /var/lib/k8s-cri-client)")
      .option("-q, --quiet", "print no progress");
    command.addHelpText(
      "after",
      `
Prints the logs of all containers until the pods have ended or you press Ctrl-C, then stops and removes the pods with
their volumes and logs. Exits with 0 if all pods succeeded, otherwise with the exit code of a container that failed, and
with 125 if the pods could not be run. While a pod is detached, nothing restarts its containers; run the same manifest
again to continue, or remove it with rm --force. Options for run come before IMAGE.

Examples:
  k8s-cri-client run -f pod.yaml
  k8s-cri-client run -f deploy/ --detach && k8s-cri-client logs -f web
  k8s-cri-client run --env MODE=test busybox:1.37 -- sh -c 'echo $MODE'
  k8s-cri-client run -f pod.yaml --dry-run`,
    );
  },

  async run(invocation, args, options) {
    try {
      const [image, ...rest] = args;
      const command = rest[0] === "--" ? rest.slice(1) : rest;
      const input = await readInput(invocation, image === undefined ? [] : [image, ...command], options);
      if (input.pods.length === 0) throw new ExitError("the manifests have no pod to run", 125);
      // Ctrl-C must not abort the calls with which the pods are stopped and removed.
      const cri = (await invocation.connect()).with({ signal: new AbortController().signal });
      const node = await describeNode(cri, await nodeOverrides(options), { signal: invocation.terminal.signal });
      const plans = input.pods.map((pod) => planPod(pod, { node, objects: input.objects }));
      if (options.dryRun) {
        const [first, ...others] = plans.map((plan) => plan.toJSON());
        await invocation.print(await structured(others.length === 0 ? first : [first, ...others], options.output));
        return 0;
      }
      return await runPlans(invocation, cri, plans, options);
    } catch (error) {
      throw ownFailureOf(error);
    }
  },
};

function variable(text: string, previous: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=([\s\S]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError("It must have the form NAME=VALUE.");
  return { ...previous, [name]: value };
}

async function nodeOverrides({ kubeletConfig, rootDirectory }: RunOptions): Promise<NodeOverrides> {
  const directory = rootDirectory === undefined ? {} : { rootDirectory };
  if (kubeletConfig === undefined) return directory;
  const text = await readRegular(kubeletConfig, maxConfigBytes).catch((error: Error) => {
    throw new UsageError(`--kubelet-config: ${error.message}`);
  });
  return { ...fromKubeletConfiguration(text.toString("utf8")).overrides, ...directory };
}

/** Runs pods until they have ended, or are ready with `--detach`. Removes all that were not released. */
async function runPlans(
  invocation: Invocation,
  cri: CriClient,
  plans: readonly PodPlan[],
  options: RunOptions,
): Promise<number> {
  const { signal } = invocation.terminal;
  const auth = await RegistryCredentials.load({ files: options.authFile });
  const pods: RunningPod[] = [];
  const noting: Promise<void>[] = [];
  try {
    for (const plan of plans) {
      const pod = await plan.run(cri, { auth, signal });
      pods.push(pod);
      noting.push(noteEvents(invocation, pod, options.quiet ?? false));
    }
    if (options.detach) return await detach(invocation, cri, pods, options.readyTimeout);
    const hasSeveral = pods.flatMap(({ containerNames }) => containerNames).length > 1;
    const printer = new LogPrinter(invocation, cri, { output: "text", prefix: hasSeveral });
    const exits = await Promise.all(pods.map((pod) => followPod(invocation, pod, printer)));
    for (const [index, { phase, reason }] of exits.entries()) {
      if (phase === "Failed" && reason) invocation.note(printable(`${pods[index]?.name}: failed: ${reason}`));
    }
    return exits.map(exitCodeOf).find((code) => code !== 0) ?? 0;
  } finally {
    await remove(invocation, pods);
    await Promise.all(noting);
  }
}

/** Waits until pods are ready or have ended, and leaves them to themselves. */
async function detach(
  { terminal, print, note }: Invocation,
  cri: CriClient,
  pods: readonly RunningPod[],
  timeoutMs: number,
): Promise<number> {
  const codes = await Promise.all(pods.map((pod) => readyOrEnded(pod, timeoutMs, terminal.signal)));
  for (const pod of pods) {
    const name = `${pod.namespace}/${pod.name}`;
    const sandbox = await cri.pods.find({ uid: pod.uid });
    if (sandbox === undefined) throw new ExitError(`${name} was removed by another program`, 125);
    await pod.release();
    await print(`${printable(sandbox.id)}\n`);
    if (terminal.stderr.isTTY)
      note(`${printable(name)} runs on. Remove it: k8s-cri-client rm --force ${printable(name)}`);
  }
  return codes.find((code) => code !== 0) ?? 0;
}

async function readyOrEnded(pod: RunningPod, timeoutMs: number, signal: AbortSignal): Promise<number> {
  try {
    await pod.waitReady({ timeoutMs, signal });
    return 0;
  } catch (error) {
    if (CriError.is(error, "DEADLINE_EXCEEDED")) throw new ExitError(error.message, 124);
    if (!CriError.is(error, "FAILED_PRECONDITION")) throw error;
    return exitCodeOf(await pod.wait({ signal }));
  }
}

/** Stops and removes pods in order. Released pods are left alone. */
async function remove({ terminal, note }: Invocation, pods: readonly RunningPod[]): Promise<void> {
  if (terminal.signal.aborted && pods.length > 0) {
    note("Stopping and removing the pods. Press Ctrl-C again to leave them as they are.");
  }
  const results = await Promise.allSettled(pods.map((pod) => pod.dispose()));
  const failures = results.flatMap((result, index) => {
    if (result.status === "fulfilled") return [];
    const { namespace, name } = pods[index] as RunningPod;
    return [
      `${namespace}/${name} was not removed: ${errorMessage(result.reason)}; try: rm --force ${namespace}/${name}`,
    ];
  });
  if (failures.length > 0) throw new ExitError(printable(failures.join(" ")), 125);
}
