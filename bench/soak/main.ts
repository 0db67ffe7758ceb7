/**
 * Runs everything at once for a long time, and checks that the process does not leak and that nothing is left on the node.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient } from "k8s-cri-client";
import { labVersions, parseVersions } from "../../test/runtime/lab/lab.js";
import { millisecondsOf, parseOptions } from "../support/options.js";
import { table } from "../support/table.js";
import { activities } from "./activities.js";
import { givenRuntime, ownRuntime, type SoakRuntime } from "./runtime.js";
import { activeResources, Sampler, toleranceOf } from "./samples.js";
import { Stage } from "./stage.js";
import { Tallies } from "./tally.js";
import { judge, type Spread, warmUp } from "./verdict.js";

const newest = labVersions.at(-1) ?? "";

export const help = `Runs pod lifecycles, commands, sessions, logs, ports, statistics, events and broken connections, all at once.

Usage: npm run soak -- [options]

  --minutes <n>       duration, may be a fraction; default 10. Ctrl-C ends the soak early and prints the results
  --version <v>       containerd of the lab (Linux, root, apt): ${labVersions.join(", ")}; default ${newest}
  --endpoint <e>      a running runtime instead of the lab
  --image <i>         an image with a shell for --endpoint; default docker.io/library/busybox:stable
  --fake              a fake runtime whose containers are processes of this machine, without isolation
  --concurrency <n>   number of workers for each activity; default 1

The soak takes about 200 samples, at most four a second, each after a garbage collection. It ignores the first ${100 * warmUp} % of them. The
growth of a quantity is the median of the slopes between all pairs of samples, multiplied by the time from the first to the last
sample. A quantity is flat if its growth does not exceed the allowed growth. The exit code is 1 if anything grows, if anything is
left on the node or in the process, or if an activity failed.`;

export async function main(args: string[]): Promise<void> {
  const { endpoint, image, concurrency, ...options } = parseOptions(args, {
    minutes: "10",
    version: newest,
    endpoint: "",
    image: "docker.io/library/busybox:stable",
    fake: false,
    concurrency: 1,
  });
  const durationMs = millisecondsOf(options.minutes);
  const [version = newest] = parseVersions(options.version);
  await using runtime = endpoint ? givenRuntime(endpoint, image) : await ownRuntime(options.fake ? "fake" : version);
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  // Handles the first signal only, so that a second Ctrl-C ends the process immediately.
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    console.log(
      `${runtime.name}, Node.js ${process.version}, ${options.minutes} minutes, workers per activity: ${concurrency}`,
    );
    const flat = await soak(runtime, durationMs, concurrency, stop);
    process.exitCode = flat ? 0 : 1;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** Runs the soak and prints the results. Resolves with whether it passed. */
async function soak(
  runtime: SoakRuntime,
  durationMs: number,
  concurrency: number,
  stop: AbortController,
): Promise<boolean> {
  const tallies = new Tallies();
  using sampler = new Sampler();
  const tracesBefore = runtime.traces();
  const resourcesBefore = activeResources();
  const startedAt = performance.now();
  {
    await using stage = await Stage.open(runtime);
    const timer = setTimeout(() => stop.abort(), durationMs);
    const ending = stop.signal;
    const workers = Object.entries(activities).flatMap(([name, pass]) =>
      Array.from({ length: concurrency }, async () => {
        while (!ending.aborted) {
          await tallies.count(name, () => pass(stage));
          await pause(50 + 100 * Math.random(), ending);
        }
      }),
    );
    const intervalMs = Math.max(250, durationMs / 200);
    while (!ending.aborted) {
      await pause(intervalMs, ending);
      sampler.take(await stage.counts());
    }
    clearTimeout(timer);
    await Promise.all(workers);
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  console.log(`\n${passesOf(tallies, seconds)}\n\n`);
  const { lines, flat } = verdictsOf(sampler);
  console.log(lines);
  const left = [...(await leftOnNode(runtime, tracesBefore)), ...(await leftInProcess(resourcesBefore))];
  console.log(`\nLeft behind: ${left.length === 0 ? "nothing" : `\n  ${left.join("\n  ")}`}`);
  const passed = flat && left.length === 0 && tallies.failures === 0;
  console.log(`${passed ? "FLAT" : "FAILED"} after ${seconds.toFixed(0)} s, ${tallies.failures} failures`);
  return passed;
}

function passesOf({ all }: Tallies, seconds: number): string {
  const rows = [...all].map(([name, { passes, bytes, failures }]) => [
    name,
    String(passes),
    (passes / seconds).toFixed(2),
    (bytes / 1e6).toFixed(1),
    String(failures),
  ]);
  return table(["activity", "passes", "a second", "MB", "failures"], rows);
}

function verdictsOf(sampler: Sampler): { lines: string; flat: boolean } {
  const show = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
  const spread = ({ min, median, max }: Spread) => [min, median, max].map(show);
  let flat = sampler.series.size > 0;
  const rows = [...sampler.series].map(([name, values]) => {
    const tolerance = toleranceOf(name);
    const verdict = judge(values, tolerance ?? { absolute: Number.POSITIVE_INFINITY, relative: 0 });
    flat &&= tolerance === undefined || verdict.outcome === "flat";
    const judged = tolerance ? [show(verdict.allowed), verdict.outcome] : ["–", "not judged"];
    return [name, ...spread(verdict.first), ...spread(verdict.last), verdict.growth.toFixed(1), ...judged];
  });
  const thirds = ["first", "last"].flatMap((third) => ["min", "median", "max"].map((what) => `${third} ${what}`));
  return { lines: table(["quantity", ...thirds, "growth", "allowed", "verdict"], rows), flat };
}

/** Finds pods, their node resources and processes that are left after the soak. */
async function leftOnNode(runtime: SoakRuntime, before: readonly string[]): Promise<string[]> {
  await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
  const pods = (await cri.pods.list({ namespace: Stage.namespace })).map(
    ({ id, metadata }) => `pod ${metadata?.name} ${id}`,
  );
  const traces = () => runtime.traces().filter((trace) => !before.includes(trace));
  // The kernel removes ended processes with a delay.
  for (let attempt = 0; attempt < 50 && (traces().length > 0 || (runtime.processes() ?? 0) > 0); attempt++)
    await sleep(100);
  const processes = runtime.processes() ?? 0;
  return [...pods, ...traces(), ...(processes > 0 ? [`${processes} processes`] : [])];
}

/** Finds active resources, such as sockets and timers, that are left after everything was closed. */
async function leftInProcess(before: ReadonlyMap<string, number>): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const more = [...activeResources()].filter(([name, count]) => count > (before.get(name) ?? 0));
    if (more.length === 0 || attempt === 50) return more.map(([name, count]) => `${count} ${name}`);
    await sleep(100);
  }
}

async function pause(ms: number, ending: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: ending }).catch(() => {});
}
