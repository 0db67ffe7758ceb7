/**
 * Measures what it costs a small call that others can listen to it.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { FakeRuntime } from "../../src/testing/index.js";
import { barsOf, type Chart } from "../support/chart.js";
import { type Contestant, interleave } from "../support/interleave.js";
import { parseOptions } from "../support/options.js";
import { failuresOf, type Report } from "../support/page.js";
import { median, show } from "../support/statistics.js";
import { buildTask } from "./build.js";

export const help = `Measures the cost of a call with and without listeners, beside a client that publishes nothing.

Usage: npm run bench -- observability [options]

  --rounds <n>   default 15
  --calls <n>    calls to measure in each round, after as many for warm-up; default 3000
  --no-go        has no effect here: this benchmark has no Go programs

Each measurement is a new process that calls Version one at a time. The runtime is a FakeRuntime, in the process of the
benchmark.`;

/** While nothing listens, a call must take at most this multiple of one that publishes nothing. */
const limit = 1.03;

/** The cost of one call, in microseconds. */
interface Cost {
  wallUs: number;
  cpuUs: number;
}

export async function page(args: string[]): Promise<Report> {
  const { rounds, calls } = parseOptions(args, { rounds: 15, calls: 3_000, "no-go": false });
  const ours = await buildTask({ tracing: true });
  const silent = await buildTask({ tracing: false });
  await using runtime = await FakeRuntime.start();
  const contestant = (name: string, program: string, listener: string, role: "ours" | "baseline" = "ours") => ({
    ...{ name, role },
    run: () => start([program, runtime.endpoint, listener, String(calls)]),
  });
  const contestants: Contestant<Cost>[] = [
    contestant("nothing listens", ours, "none"),
    contestant("built without channels", silent, "none", "baseline"),
    contestant("a subscriber of each channel", ours, "subscriber"),
    contestant("registerClientMetrics", ours, "prometheus"),
    contestant("OpenTelemetry, spans in memory", ours, "otel"),
  ];
  const scores = await interleave(contestants, rounds);
  const cpuOf = (wanted: string) =>
    median(scores.find(({ name }) => name === wanted)?.results.map(({ cpuUs }) => cpuUs) ?? []);
  const ratio = cpuOf("nothing listens") / cpuOf("built without channels");
  const warnings = failuresOf("observability", scores);
  if (!(ratio <= limit)) warnings.push(`A call takes ${show(ratio)} times as long, more than ${limit} times.`);
  const chart = (name: string, of: (cost: Cost) => number): Chart => ({
    ...{ name, unit: "µs", columns: ["p50", "max"] },
    bars: barsOf(scores, (results) => [median(results.map(of)), Math.max(...results.map(of))]),
  });
  return {
    title: "Observability",
    about: `In each of ${rounds} rounds, each process calls Version ${calls} times, one at a time, after as many calls for warm-up.`,
    warnings,
    sections: [
      {
        id: "observability",
        title: "Calls that something may listen to",
        about: `While nothing listens, a call takes ${show(ratio)} times the CPU time of one that publishes nothing.`,
        charts: [chart("CPU time of a call", ({ cpuUs }) => cpuUs), chart("time of a call", ({ wallUs }) => wallUs)],
      },
    ],
  };
}

async function start(args: string[]): Promise<Cost> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 120_000 });
  return JSON.parse(stdout) as Cost;
}
