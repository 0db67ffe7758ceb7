/**
 * Removes all resources of a lab from the machine.
 *
 * All steps are synchronous, so that they also work in a signal handler and on the `exit` event. They are idempotent, because a
 * signal or the next run after a crash may repeat them.
 *
 * @module
 */
import { rmSync } from "node:fs";
import { removeCgroup } from "./cgroups.js";
import { deleteBridge, restoreForwarding } from "./network.js";
import { isFirstOfNamespace, isRunning, type ProcessIdentity, processesWithEnvironment, signal } from "./processes.js";
import { type LabRecord, readRecords, removeRecord, stateOf } from "./records.js";

const timeoutMs = 15_000;

/** Returns the environment variable that marks every process of a lab. */
export function environmentMark(id: string): string {
  return `CRI_LAB_ID=${id}`;
}

export function tearDown(record: LabRecord): void {
  killProcesses(record.id);
  for (const bridge of record.bridges) deleteBridge(bridge, record.busybox);
  // The kernel ends the last processes of a namespace asynchronously.
  for (const name of record.cgroups) retry(() => removeCgroup(name));
  retry(() => rmSync(record.folder, { recursive: true, force: true }));
  removeRecord(record.id);
  if (!readRecords().some((other) => stateOf(other) !== "abandoned")) restoreForwarding(record.forwardingBefore);
}

/** Tears down the labs whose owners have ended, and returns their records. */
export function tearDownAbandoned(): LabRecord[] {
  const abandoned = readRecords().filter((record) => stateOf(record) === "abandoned");
  for (const record of abandoned) tearDown(record);
  return abandoned;
}

/**
 * Kills the lab's processes. Containers and shims have no mark, but the first process of their PID namespace has one. The kernel
 * kills them together with that process.
 *
 * The first processes are killed before all others. A namespace ends when all its processes have been reaped, and the parent that
 * reaps containerd is outside the namespace. If that parent were killed too, process 1 of the machine would have to reap
 * containerd. If the machine is a container, its process 1 often never reaps other processes.
 */
function killProcesses(id: string): void {
  const marked = () => processesWithEnvironment(environmentMark(id)).filter(({ pid }) => pid !== process.pid);
  killUntilEnded(() => marked().filter(({ pid }) => isFirstOfNamespace(pid)));
  killUntilEnded(marked);
}

function killUntilEnded(find: () => ProcessIdentity[]): void {
  // A process loses its environment before it has ended.
  const seen = new Map<number, ProcessIdentity>();
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    for (const found of find()) seen.set(found.pid, found);
    const remaining = [...seen.values()].filter(isRunning);
    if (remaining.length === 0) return;
    if (Date.now() > deadline) throw new Error(`processes did not end: ${remaining.map(({ pid }) => pid)}`);
    for (const process of remaining) signal(process, "SIGKILL");
    pause(10);
  }
}

function retry(step: () => void): void {
  const deadline = Date.now() + timeoutMs;
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
