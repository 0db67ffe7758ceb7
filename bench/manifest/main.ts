/**
 * Measures pods from Kubernetes manifests: planning them, and this package's share of running them.
 *
 * @module
 */
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeNode, type NodeConfig, type PodPlan, planPod, readManifests } from "k8s-cri-client/kubernetes";
import { run } from "../../test/runtime/lab/command.js";
import { labAvailability } from "../../test/runtime/lab/lab.js";
import { Stage } from "../lifecycle/stage.js";
import { compileProgram } from "../support/build.js";
import { type Bar, barsOf, type Chart } from "../support/chart.js";
import { interleave } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median } from "../support/statistics.js";
import { Bare } from "./bare.js";
import { typical } from "./documents.js";

export const help = `Measures planning and running pods from Kubernetes manifests, on a containerd 2.1 of the lab (Linux, root, apt).

Usage: npm run bench -- manifest [options]

  --rounds <n>   default 10
  --no-go        has no effect here: this benchmark has no Go programs

Planning is measured as CPU time in a warm process. A pod is run with this package and, with the same messages, through plain
nice-grpc stubs: "to ours" shows which part of the time is the runtime's own.`;

export async function page(args: string[]): Promise<Report> {
  const { rounds } = parseOptions(args, { rounds: 10, "no-go": false });
  const title = "Pods from manifests";
  const availability = labAvailability();
  if (!availability.available) {
    const warnings = [`Left out: no containerd can be started on this machine, ${availability.reason}.`];
    return { title, about: "Pods from Kubernetes manifests.", warnings, sections: [] };
  }
  const warnings: string[] = [];
  await using stage = await Stage.open();
  const root = await realpath(await mkdtemp(join(tmpdir(), "bench-manifest-")));
  try {
    const directories = { rootDirectory: join(root, "kubelet"), podLogsDirectory: join(root, "logs") };
    const node = await describeNode(stage.cri, { ...directories, cgroupsPerQos: false });
    const charts = [...(await planning(stage.image, node)), ...(await running(stage, node, rounds, warnings))];
    const left = await stage.leftBehind();
    if (left.length > 0) warnings.push(`LEFT BEHIND on the runtime: ${left.join(", ")}`);
    const about = `${stage.runtime} without other pods. Each client takes part in each of ${rounds} rounds, after one round of warm-up.`;
    return { title, about, warnings, sections: [{ ...section, charts }] };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

const section = {
  id: "manifest",
  title: "Planning and running a pod",
  about:
    "The typical document has a pod of two containers, a ConfigMap and a Secret. The large one has 10 containers with 30 variables and 10 mounts each, and 10 ConfigMaps. " +
    "Planning is CPU time in a warm process. The typical pod is run with `plan.run` until it is ready, and removed; the plain nice-grpc stubs send the same messages, but their volumes exist before, and no pod is locked or looked for.",
};

async function planning(image: string, node: NodeConfig): Promise<Chart[]> {
  const program = await compileProgram("bench/manifest/plan-program.ts", "planner.js");
  const output = await run(process.execPath, [program, image, JSON.stringify(node)], { timeoutMs: 600_000 });
  const figures = JSON.parse(output) as { read: number; plan: number }[];
  const bars: Bar[] = figures.map(({ read, plan }, index) => ({
    name: index === 0 ? "typical document" : "large document",
    role: index === 0 ? "ours" : "baseline",
    figures: [plan, read],
  }));
  return [{ name: "Planning", unit: "ms", columns: ["plan", "read"], bars }];
}

interface Times {
  start: number;
  remove: number;
}

async function running(stage: Stage, node: NodeConfig, rounds: number, warnings: string[]): Promise<Chart[]> {
  const { pods, objects } = readManifests(typical(stage.image));
  const [pod] = pods;
  if (!pod) throw new Error("the document has no pod");
  let count = 0;
  const newPlan = (): PodPlan => {
    const metadata = { ...pod.metadata, name: `web-${++count}` };
    return planPod({ ...pod, metadata, spec: { ...pod.spec, hostNetwork: true } }, { node, objects });
  };
  using bare = new Bare(stage.endpoint);
  const contestants = [
    { name: "k8s-cri-client", role: "ours" as const, run: () => timesOfOurs(stage, newPlan()) },
    { name: "plain nice-grpc stubs", role: "baseline" as const, run: () => timesOfBare(bare, newPlan()) },
  ];
  await interleave(contestants, 1);
  const scores = await interleave(contestants, rounds);
  warnings.push(...failuresOf("running a pod", scores));
  return (["start", "remove"] as const).map((phase) => {
    const bars = barsOf(scores, (results) => {
      const all = results.map((times) => times[phase]);
      return [median(all), Math.max(...all)];
    });
    const name = phase === "start" ? "Until the pod is ready" : "Until it is removed";
    return { name, unit: "ms", columns: ["p50", "max"], bars };
  });
}

async function timesOfOurs({ cri }: Stage, plan: PodPlan): Promise<Times> {
  const started = performance.now();
  await using pod = await plan.run(cri);
  await pod.waitReady({ timeoutMs: 60_000 });
  const start = performance.now() - started;
  await pod.stop({ gracePeriodSeconds: 0 }); // a kubelet's shortest grace period is 2 s
  await pod.dispose();
  return { start, remove: performance.now() - started - start };
}

async function timesOfBare(bare: Bare, plan: PodPlan): Promise<Times> {
  await using _volumes = await bare.prepare(plan);
  const started = performance.now();
  const id = await bare.start(plan);
  const start = performance.now() - started;
  await bare.remove(id);
  return { start, remove: performance.now() - started - start };
}
