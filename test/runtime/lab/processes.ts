/**
 * Identifies processes by /proc. A process id alone is not enough, because the kernel reuses ids.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Identifies a process until the machine reboots, by its id and its start time in clock ticks since boot. */
export interface ProcessIdentity {
  pid: number;
  startTime: string;
}

/** Identifies a running process. Returns `undefined` if there is none, or only a zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  const startTime = fields?.[19];
  if (startTime === undefined || fields?.[0] === "Z" || fields?.[0] === "X") return undefined;
  return { pid, startTime };
}

export function isRunning(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Sends a signal to exactly this process. Returns whether the process was running. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isRunning(target)) return false;
  try {
    return process.kill(target.pid, name);
  } catch {
    return false;
  }
}

/** Lists the processes whose environment contains this entry, for example `NAME=value`. */
export function processesWithEnvironment(entry: string): ProcessIdentity[] {
  const wanted = Buffer.from(`\0${entry}\0`);
  return processIds().flatMap((pid) => {
    try {
      const environment = Buffer.concat([Buffer.of(0), readFileSync(`/proc/${pid}/environ`), Buffer.of(0)]);
      const found = environment.includes(wanted) ? identify(pid) : undefined;
      return found === undefined ? [] : [found];
    } catch {
      return [];
    }
  });
}

/** Returns whether the process is process 1 of a PID namespace below this one. */
export function isFirstOfNamespace(pid: number): boolean {
  try {
    const ids =
      /^NSpid:(.*)$/m
        .exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]
        ?.trim()
        .split(/\s+/) ?? [];
    return ids.length > 1 && ids.at(-1) === "1";
  } catch {
    return false;
  }
}

/** Returns whether the process is a kernel thread. */
export function isKernelThread(pid: number): boolean {
  const kernelThread = 0x0020_0000;
  return (Number(statFields(pid)?.[6]) & kernelThread) !== 0;
}

export function childrenOf(parent: number): ProcessIdentity[] {
  return processIds().flatMap((pid) => {
    if (statFields(pid)?.[1] !== String(parent)) return [];
    const child = identify(pid);
    return child === undefined ? [] : [child];
  });
}

/** Returns the scope in which recorded process ids are valid: the current boot and PID namespace. */
export function processScope(): string {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
}

/** Lists the ids of all processes. A process may have ended when the caller reads its files. */
export function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Returns the fields of /proc/PID/stat after the program's name, which may contain spaces: state, parent, … */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
