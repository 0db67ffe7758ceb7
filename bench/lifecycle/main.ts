/**
 * Measures the lifecycle of pods on a real runtime, and the client's share of that time.
 *
 * @module
 */
import { labAvailability } from "../../test/runtime/lab/lab.js";
import { barsOf, type Chart } from "../support/chart.js";
import { interleave, type Role } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median } from "../support/statistics.js";
import { Bare } from "./bare.js";
import { runLifecycle } from "./ours.js";
import { findStepProgram, Script, type StepProgram } from "./script.js";
import { Stage } from "./stage.js";

export const help = `Measures pods from RunPodSandbox to RemovePodSandbox on a containerd 2.1 of the lab (Linux, root, apt).

Usage: npm run bench -- lifecycle [options]

  --rounds <n>   default 5
  --no-go        skips crictl and its Go replacement, whose first build takes minutes and needs the network

Each pod uses the node's network and has one container that sleeps. Both are created, the container is started, inspected, stopped
and removed, then the pod is stopped and removed: first one pod alone, then twenty at once. "To ours" is the ratio to this package's
time. The benchmark warns if anything is left on the runtime.`;

const atOnce = 20;

/** A client that runs the lifecycle of a pod. */
interface LifecycleClient {
  name: string;
  role: Role;
  runLifecycle(name: string): Promise<void>;
}

export async function page(args: string[]): Promise<Report> {
  const { rounds, ...options } = parseOptions(args, { rounds: 5, "no-go": false });
  const title = "Pod lifecycle";
  const availability = labAvailability();
  if (!availability.available) {
    const warnings = [`Left out: no containerd can be started on this machine, ${availability.reason}.`];
    return { title, about: "Pods on a real containerd.", warnings, sections: [] };
  }
  const warnings: string[] = [];
  const program = options["no-go"] ? undefined : await findStepProgram().catch((error: Error) => error);
  if (program === undefined) warnings.push('--no-go leaves out "process per step".');
  if (program instanceof Error) warnings.push(`"Process per step" is left out: ${program.message}`);
  await using stage = await Stage.open();
  const charts = await measureAll(stage, program instanceof Error ? undefined : program, rounds, warnings);
  const left = await stage.leftBehind();
  if (left.length > 0) warnings.push(`LEFT BEHIND on the runtime: ${left.join(", ")}`);
  return { title, about: aboutOf(stage, rounds, program), warnings, sections: [{ ...section, charts }] };
}

const section = {
  id: "lifecycle",
  title: "From RunPodSandbox to RemovePodSandbox",
  about:
    "Each client makes nine calls per pod: RunPodSandbox, ImageStatus, CreateContainer, StartContainer, ContainerStatus, StopContainer, RemoveContainer, StopPodSandbox, RemovePodSandbox. This package and the plain stubs also call ListContainers before StopPodSandbox. " +
    "The plain nice-grpc stubs show the time that the runtime itself takes.",
};

function aboutOf(stage: Stage, rounds: number, program: StepProgram | Error | undefined): string {
  const setup =
    `${stage.runtime} without other pods. A pod in the node's network with a sleeping container is created, started, inspected, stopped without a grace period, and removed. Each client takes part in each of ` +
    `${rounds === 1 ? "one round" : `${rounds} rounds`}, after one round of warm-up.`;
  if (program === undefined || program instanceof Error) return setup;
  const what =
    program.path === "crictl"
      ? "crictl"
      : "a Go program with k8s.io/cri-client, the library of crictl, because crictl is not on this machine's PATH";
  return `${setup} "Process per step" is ${what}. Like a shell script with crictl, it starts a process for each step. Each process also calls Version, and none calls ImageStatus.`;
}

async function measureAll(
  stage: Stage,
  program: StepProgram | undefined,
  rounds: number,
  warnings: string[],
): Promise<Chart[]> {
  const { cri, endpoint, image } = stage;
  using bare = new Bare(endpoint);
  await using script = program && (await Script.open(program, endpoint));
  const clients: LifecycleClient[] = [
    { name: "k8s-cri-client", role: "ours", runLifecycle: (name) => runLifecycle(cri, image, name) },
    ...(program && script
      ? [
          {
            name: program.name,
            role: "peer" as const,
            runLifecycle: (name: string) => script.runLifecycle(image, name),
          },
        ]
      : []),
    { name: "plain nice-grpc stubs", role: "baseline", runLifecycle: (name) => bare.runLifecycle(image, name) },
  ];
  const alone = await measure("one pod", 1, clients, rounds, warnings);
  return [alone, await measure(`${atOnce} pods at once, until the last is removed`, atOnce, clients, rounds, warnings)];
}

async function measure(
  name: string,
  pods: number,
  clients: LifecycleClient[],
  rounds: number,
  warnings: string[],
): Promise<Chart> {
  const contestants = clients.map((client) => ({ ...client, run: () => timeOf(client, pods) }));
  await interleave(contestants, 1); // warm-up: compiles code, and the runtime does its one-time work
  const scores = await interleave(contestants, rounds);
  warnings.push(...failuresOf(name, scores));
  const bars = barsOf(scores, (results) => [median(results), Math.max(...results)]);
  return { name, unit: "ms", columns: ["p50", "max"], bars };
}

let count = 0;

async function timeOf(client: LifecycleClient, pods: number): Promise<number> {
  const names = Array.from({ length: pods }, () => `pod-${++count}`);
  const start = performance.now();
  // Waits for all, because a pod that is still being created would slow down the next contestant.
  const results = await Promise.allSettled(names.map((name) => client.runLifecycle(name)));
  const took = performance.now() - start;
  const failed = results.find((result) => result.status === "rejected");
  if (failed) throw failed.reason;
  return took;
}
