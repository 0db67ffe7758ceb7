/**
 * How long a pod's life takes on a real runtime, and how much of that is the client's doing.
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
import { live } from "./ours.js";
import { findSteps, Script, type Steps } from "./script.js";
import { Stage } from "./stage.js";

export const help = `Pods from RunPodSandbox to RemovePodSandbox on a containerd 2.1 that is brought up for it (Linux, root, apt).

Usage: npm run bench -- lifecycle [options]

  --rounds <n>   default 5
  --no-go        without crictl and what stands in for it, which takes minutes and the network the first time

A pod in the node's network with a container that sleeps: both are made, the container is started, looked at, stopped and removed,
and so is the pod. Once alone, and twenty at once. "To ours" is how many times our time it takes. In the end nothing may be left on
the runtime.`;

const atOnce = 20;

/** A way to let a pod live. */
interface Way {
  name: string;
  role: Role;
  live(name: string): Promise<void>;
}

export async function page(args: string[]): Promise<Report> {
  const { rounds, ...options } = parseOptions(args, { rounds: 5, "no-go": false });
  const title = "Lives of pods";
  const availability = labAvailability();
  if (!availability.available) {
    const warnings = [`Left out: no containerd can be brought up on this machine, ${availability.reason}.`];
    return { title, about: "Pods on a real containerd.", warnings, sections: [] };
  }
  const warnings: string[] = [];
  const steps = options["no-go"] ? undefined : await findSteps().catch((error: Error) => error);
  if (steps === undefined) warnings.push("A process for each step is left out by --no-go.");
  if (steps instanceof Error) warnings.push(`A process for each step is left out: ${steps.message}`);
  await using stage = await Stage.open();
  const charts = await measureAll(stage, steps instanceof Error ? undefined : steps, rounds, warnings);
  const left = await stage.leftBehind();
  if (left.length > 0) warnings.push(`LEFT BEHIND on the runtime: ${left.join(", ")}`);
  return { title, about: aboutOf(stage, rounds, steps), warnings, sections: [{ ...section, charts }] };
}

const section = {
  id: "lifecycle",
  title: "From RunPodSandbox to RemovePodSandbox",
  about:
    "The same nine calls for a pod: RunPodSandbox, ImageStatus, CreateContainer, StartContainer, ContainerStatus, StopContainer, RemoveContainer, StopPodSandbox, RemovePodSandbox. This package and the bare stubs also send ListContainers before StopPodSandbox. " +
    "Stubs of nice-grpc with nothing around them tell how long the runtime itself takes.",
};

function aboutOf(stage: Stage, rounds: number, steps: Steps | Error | undefined): string {
  const nothingElse =
    `${stage.runtime} with nothing else on it. A pod in the node's network with a container that sleeps is made, started, looked at, stopped at once and removed; everyone has a turn in each of ` +
    `${rounds === 1 ? "one round" : `${rounds} rounds`}, after one to warm up.`;
  if (steps === undefined || steps instanceof Error) return nothingElse;
  const what =
    steps.program === "crictl"
      ? "crictl"
      : "a program in Go with k8s.io/cri-client, crictl's library, for there is no crictl on this machine's PATH";
  return `${nothingElse} "A process a step" is ${what}: a process for each step, as a script with crictl has. It makes a call of Version in each, and none of ImageStatus.`;
}

async function measureAll(
  stage: Stage,
  steps: Steps | undefined,
  rounds: number,
  warnings: string[],
): Promise<Chart[]> {
  const { cri, endpoint, image } = stage;
  using bare = new Bare(endpoint);
  await using script = steps && (await Script.open(steps, endpoint));
  const ways: Way[] = [
    { name: "k8s-cri-client", role: "ours", live: (name) => live(cri, image, name) },
    ...(steps && script
      ? [{ name: steps.name, role: "peer" as const, live: (name: string) => script.live(image, name) }]
      : []),
    { name: "nice-grpc's stubs", role: "yardstick", live: (name) => bare.live(image, name) },
  ];
  const alone = await measure("one pod", 1, ways, rounds, warnings);
  return [alone, await measure(`${atOnce} pods at once, until the last is gone`, atOnce, ways, rounds, warnings)];
}

async function measure(name: string, pods: number, ways: Way[], rounds: number, warnings: string[]): Promise<Chart> {
  const contestants = ways.map((way) => ({ ...way, run: () => timeOf(way, pods) }));
  await interleave(contestants, 1); // the code is compiled, and what the runtime makes once is there
  const scores = await interleave(contestants, rounds);
  warnings.push(...failuresOf(name, scores));
  const bars = barsOf(scores, (results) => [median(results), Math.max(...results)]);
  return { name, unit: "ms", columns: ["p50", "max"], bars };
}

let count = 0;

async function timeOf(way: Way, pods: number): Promise<number> {
  const names = Array.from({ length: pods }, () => `pod-${++count}`);
  const start = performance.now();
  // All of them to their ends: what is still being made when others are measured would be in the way.
  const lives = await Promise.allSettled(names.map((name) => way.live(name)));
  const took = performance.now() - start;
  const failed = lives.find((life) => life.status === "rejected");
  if (failed) throw failed.reason;
  return took;
}
