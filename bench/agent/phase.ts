/** What a program costs during a phase. @module */
import { setTimeout as sleep } from "node:timers/promises";
import type { Chart } from "../support/chart.js";
import { type Cost, percentOfCore } from "../support/cost.js";
import type { Curves } from "../support/curves.js";
import type { Role } from "../support/interleave.js";
import { type Counts, Program } from "../support/program.js";
import { median } from "../support/statistics.js";

/** What was observed. */
export interface Observation {
  samples: readonly Cost[];
  did: Counts;
}

/** A phase of one agent. */
export interface Phase extends Observation {
  name: string;
  role: Role;
}

const sampleMs = 2_000;
const replaceMs = 10_000;
/** The samples of one point in the diagrams of CPU time, whose single samples depend on when probes happen. */
const samplesPerPoint = 10;
/** Counts of what exists. All others count what was done. */
const objects = { pods: true, containers: true };

/** Observes a program for a while, and does `each` every {@link replaceMs}. */
export async function observe(program: Program, durationMs: number, each = async () => {}): Promise<Observation> {
  const before = await program.ask("");
  const samples: Cost[] = [await program.cost()];
  const start = performance.now();
  // Samples must not wait for what `each` does.
  const doing = (async () => {
    for (let next = replaceMs; next < durationMs; next += replaceMs) {
      await sleep(Math.max(0, start + next - performance.now()));
      await each();
    }
  })();
  doing.catch(() => {}); // awaited below
  while (performance.now() < start + durationMs) {
    await sleep(sampleMs);
    samples.push(await program.cost());
  }
  await doing;
  const after = await program.ask("");
  const did = Object.entries(after).map(([name, count]) => [
    name,
    name in objects ? count : count - (before[name] ?? 0),
  ]);
  return { samples, did: Object.fromEntries(did) };
}

/** What a Node.js program needs that does nothing, in bytes: below that, no agent in Node.js can be. */
export async function baselines(): Promise<Map<string, number>> {
  const answer = 'process.stdin.on("data", () => console.log("{}"));';
  const programs = { "empty Node.js program": answer, "with grpc-js loaded": `require("@grpc/grpc-js"); ${answer}` };
  const found = new Map<string, number>();
  for (const [name, code] of Object.entries(programs)) {
    await using program = new Program(process.execPath, ["-e", code]);
    await program.ask("");
    found.set(name, (await program.cost()).rssBytes);
  }
  return found;
}

/** The charts of CPU time and memory. */
export function phaseCharts(when: string, phases: readonly Phase[], baselines = new Map<string, number>()): Chart[] {
  const cpu = phases.map(({ name, role, samples }) => {
    const points = cpuPoints(samples).map(([, percent]) => percent);
    return { name, role, figures: [cpuOf(samples), Math.max(...points)] as [number, number] };
  });
  const memory = phases.map(({ name, role, samples }) => {
    const bytes = samples.map(({ rssBytes }) => rssBytes / 1e6);
    return { name, role, figures: [median(bytes), Math.max(...bytes)] as [number, number] };
  });
  for (const [name, bytes] of baselines) memory.push({ name, role: "baseline", figures: [bytes / 1e6, bytes / 1e6] });
  return [
    { name: `CPU time ${when}`, unit: "% of a core", columns: ["mean", "max"], bars: cpu },
    { name: `memory (RSS) ${when}`, unit: "MB", columns: ["p50", "max"], bars: memory },
  ];
}

/** CPU time and memory over time. */
export function phaseDiagrams(when: string, phases: readonly Phase[]): Curves[] {
  const curves = (points: (samples: readonly Cost[]) => [number, number][]) =>
    phases.map(({ name, samples }) => ({ name, points: points(samples) }));
  return [
    { name: `CPU time ${when}`, unit: "% of a core", x: "minutes", curves: curves(cpuPoints) },
    { name: `memory (RSS) ${when}`, unit: "MB", x: "minutes", curves: curves(memoryPoints) },
  ];
}

const minutes = (samples: readonly Cost[], { atMs }: Cost) => (atMs - (samples[0]?.atMs ?? atMs)) / 60_000;

function memoryPoints(samples: readonly Cost[]): [number, number][] {
  return samples.map((sample) => [minutes(samples, sample), sample.rssBytes / 1e6]);
}

/** The CPU time in per cent of a core, of {@link samplesPerPoint} samples each. */
function cpuPoints(samples: readonly Cost[]): [number, number][] {
  const ends = samples.filter((_, index) => index > 0 && index % samplesPerPoint === 0);
  if (ends.length === 0) return [[0, cpuOf(samples)]];
  return ends.map((end, index) => [
    minutes(samples, end),
    percentOfCore(samples[index * samplesPerPoint] as Cost, end),
  ]);
}

const cpuOf = (samples: readonly Cost[]) => percentOfCore(samples[0] as Cost, samples.at(-1) as Cost);
