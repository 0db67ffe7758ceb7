/**
 * Removing all that a lab left on the machine. Synchronous throughout, so that the same steps serve `stop()`, a signal, the
 * last moment before the process exits, and the next run after a crash; and repeatable, since any of these may interrupt another.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { removeCgroup } from "./cgroups.js";
import { deleteBridge, restoreForwarding } from "./network.js";
import { isFirstOfNamespace, isRunning, type ProcessIdentity, processesWithEnvironment, signal } from "./processes.js";
import { type LabRecord, readRecords, removeRecord, stateOf } from "./records.js";

const patienceMs = 15_000;

/** The entry in the environment that marks every process of a lab. */
export function environmentMark(id: string): string {
  return `CRI_LAB_ID=${id}`;
}

export function tearDown(record: LabRecord): void {
  killProcesses(record.id);
  for (const bridge of record.bridges) deleteBridge(bridge, record.busybox);
  // The kernel lets go of the last processes of a namespace a moment after their parents are gone.
  for (const name of record.cgroups) insist(() => removeCgroup(name));
  insist(() => rmSync(record.folder, { recursive: true, force: true }));
  removeRecord(record.id);
  if (!readRecords().some((other) => stateOf(other) !== "abandoned")) restoreForwarding(record.forwardingBefore);
}

/** Tears down the labs whose owners are gone, and returns their records. */
export function tearDownAbandoned(): LabRecord[] {
  const abandoned = readRecords().filter((record) => stateOf(record) === "abandoned");
  for (const record of abandoned) tearDown(record);
  return abandoned;
}

/**
 * Kills the lab's processes. Containers and shims carry no mark of their own, but live in PID namespaces whose first process
 * does: the kernel kills the rest together with it.
 *
 * First processes go first. A namespace ends when all in it have been waited for, and containerd's parent is outside: killed
 * at the same time, it would leave that to the machine's process 1, which in many a container never waits for anything.
 */
function killProcesses(id: string): void {
  const marked = () => processesWithEnvironment(environmentMark(id)).filter(({ pid }) => pid !== process.pid);
  killUntilGone(() => marked().filter(({ pid }) => isFirstOfNamespace(pid)));
  killUntilGone(marked);
}

function killUntilGone(find: () => ProcessIdentity[]): void {
  // A dying process loses its environment long before it is gone.
  const seen = new Map<number, ProcessIdentity>();
  const deadline = Date.now() + patienceMs;
  for (;;) {
    for (const found of find()) seen.set(found.pid, found);
    const remaining = [...seen.values()].filter(isRunning);
    if (remaining.length === 0) return;
    if (Date.now() > deadline) throw new Error(`These processes do not end: ${remaining.map(({ pid }) => pid)}.`);
    for (const victim of remaining) signal(victim, "SIGKILL");
    pause(10);
  }
}

function insist(step: () => void): void {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      step();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      pause(20);
    }
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
