import { readFile } from "node:fs/promises";
import { run } from "../../test/runtime/lab/command.js";

/** What a process has cost up to a moment, by the kernel's account. */
export interface Cost {
  atMs: number;
  cpuSeconds: number;
  rssBytes: number;
}

let ticks: Promise<string> | undefined;

export async function costOf(pid: number): Promise<Cost> {
  ticks ??= run("getconf", ["CLK_TCK"]);
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8");
  const [stat, status, ticksPerSecond] = await Promise.all([read("stat"), read("status"), ticks]);
  // The name of the program, in parentheses, may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / Number(ticksPerSecond);
  return { atMs: performance.now(), cpuSeconds, rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1_024 };
}

/** The CPU time between two moments, in per cent of one core. */
export function percentOfCore(from: Cost, to: Cost): number {
  return ((to.cpuSeconds - from.cpuSeconds) / (to.atMs - from.atMs)) * 100_000;
}
