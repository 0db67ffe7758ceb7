import { readFileSync } from "node:fs";
import { childrenOf } from "../../../test/runtime/lab/processes.js";

/** What a process has used until now. */
export interface Usage {
  cpuSeconds: number;
  memoryBytes: number;
  /** What its system calls have read and written: files and sockets. */
  readBytes: number;
  writtenBytes: number;
}

/** Linux counts the time of processes in hundredths of a second, on every architecture that Node.js supports. */
const ticksPerSecond = 100;

export const nothing: Usage = { cpuSeconds: 0, memoryBytes: 0, readBytes: 0, writtenBytes: 0 };

/** Reads the usage of a process from /proc. Returns {@link nothing} if it has just ended. */
export function usageOf(pid: number): Usage {
  try {
    return readUsage(pid);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (["ENOENT", "ESRCH"].includes(code)) return nothing;
    throw error;
  }
}

function readUsage(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const number = (file: string, name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))?.[1] ?? 0);
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    memoryBytes: number("status", "VmRSS") * 1_024,
    readBytes: number("io", "rchar"),
    writtenBytes: number("io", "wchar"),
  };
}

/** Finds the child of this process whose command line has a word that matches. */
export function findChild(word: RegExp): { pid: number; command: string[] } | undefined {
  const found = childrenOf(process.pid).map(({ pid }) => ({ pid, command: commandOf(pid) }));
  return found.find(({ command }) => command.some((one) => word.test(one)));
}

function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
