import { readFileSync } from "node:fs";
import type { ProcessUsage } from "./backend.js";

/** Linux counts CPU time in hundredths of a second. */
const tick = 10_000_000n;

/**
 * Returns what a process of this machine has used, together with its children that have ended. Returns undefined if the kernel
 * does not report it, or if the process has ended.
 */
export function usageOf(pid: number): ProcessUsage | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name of the program is in parentheses, and may contain parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + BigInt(field), 0n);
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0;
    return { cpuNanoseconds: ticks * tick, memoryBytes: Number(resident) * 1_024 };
  } catch {
    return undefined;
  }
}
