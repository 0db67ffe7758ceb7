/**
 * Measures how the cost of a program at rest grows with the number of pods, logs and sessions.
 *
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compileProgram } from "../support/build.js";
import { percentOfCore } from "../support/cost.js";
import type { Curve } from "../support/curves.js";
import { parseOptions } from "../support/options.js";
import type { Report } from "../support/page.js";
import { Program } from "../support/program.js";

export const help = `Measures how the cost of a program at rest grows: CPU time and memory with 10 to 5,000 watched pods, 10 to 1,000 followed logs,
and 1 to 500 open sessions.

Usage: npm run bench -- growth [options]

  --seconds <n>   how long each number of objects is observed; default 20
  --rounds <n>    has no effect here
  --no-go         has no effect here: this benchmark has no Go programs

The runtime is a FakeRuntime in a process of its own. Nothing happens on it.`;

const warmUpMs = 15_000;

/** One number of objects, in a new process. */
interface Cost {
  percent: number;
  megabytes: number;
}

/** What grows. */
interface Subject {
  name: string;
  counts: readonly number[];
  /** Starts the program with as many objects. */
  start(count: number): Promise<Program>;
}

export async function page(args: string[]): Promise<Report> {
  const { seconds } = parseOptions(args, { seconds: 20, rounds: 1, "no-go": false });
  const program = await compileProgram("bench/growth/program.ts", "growth.js");
  const hostProgram = await compileProgram("bench/growth/host.ts", "growth-host.js");
  await using byEvents = new Program(process.execPath, [hostProgram, "containerd-2"]);
  await using byLists = new Program(process.execPath, [hostProgram, "containerd-1.7"]);
  const folder = await mkdtemp(join(tmpdir(), "bench-growth-"));
  const start = (...given: string[]) => new Program(process.execPath, [program, ...given]);
  const watch = async (host: Program, pods: number) => start("watch", await endpointOf(host, pods));
  const subjects: Subject[] = [
    { name: "pods, by events", counts: [10, 100, 1_000, 5_000], start: (count) => watch(byEvents, count) },
    { name: "pods, by lists", counts: [10, 100, 1_000, 5_000], start: (count) => watch(byLists, count) },
    {
      name: "logs",
      counts: [10, 100, 1_000],
      start: async (count) => start("logs", await logsIn(folder, count), String(count)),
    },
    {
      name: "sessions",
      counts: [1, 10, 100, 500],
      start: async (count) => start("sessions", await endpointOf(byEvents, 1), String(count)),
    },
  ];
  const curves: { cpu: Curve[]; memory: Curve[] } = { cpu: [], memory: [] };
  try {
    for (const { name, counts, start } of subjects) {
      const costs: [number, Cost][] = [];
      for (const count of counts) costs.push([count, await measure(await start(count), count, seconds)]);
      curves.cpu.push({ name, points: costs.map(([count, { percent }]) => [count, percent]) });
      curves.memory.push({ name, points: costs.map(([count, { megabytes }]) => [count, megabytes]) });
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const common = { x: "number of objects", isLogarithmic: true };
  const diagrams = [
    { name: "CPU time at rest", unit: "% of a core", ...common, curves: curves.cpu },
    { name: "memory (RSS) at rest", unit: "MB", ...common, curves: curves.memory },
  ];
  const about =
    "Each process watches pods with one container each, follows logs in a folder each, or keeps sessions of one container open (exec). " +
    `It is observed for ${seconds} seconds, in which nothing happens. The runtime is a FakeRuntime in a process of its own. ` +
    "Pods are watched by the events of containerd 2, or by the lists of containerd 1.7, every second.";
  return {
    title: "How cost grows",
    about,
    warnings: [],
    sections: [{ id: "growth", title: "At rest", about: "Memory includes Node.js itself.", charts: [], diagrams }],
  };
}

/** Returns the endpoint of a runtime that has at least as many pods. */
async function endpointOf(host: Program, pods: number): Promise<string> {
  const { endpoint } = (await host.ask(String(pods))) as unknown as { endpoint: string };
  return endpoint;
}

async function logsIn(folder: string, count: number): Promise<string> {
  for (let index = 0; index < count; index++) {
    await mkdir(join(folder, String(index)), { recursive: true });
    await writeFile(join(folder, String(index), "0.log"), "");
  }
  return folder;
}

async function measure(program: Program, count: number, seconds: number): Promise<Cost> {
  await using measured = program;
  const { objects } = await measured.ask("");
  if (objects !== count) throw new Error(`the program has ${objects} objects instead of ${count}`);
  // Node.js still compiles and collects what the start needed for some seconds after it.
  await sleep(warmUpMs);
  const before = await measured.cost();
  await sleep(seconds * 1_000);
  const after = await measured.cost();
  return { percent: percentOfCore(before, after), megabytes: after.rssBytes / 1e6 };
}
