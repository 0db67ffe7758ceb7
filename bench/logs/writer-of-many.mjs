/** Writes lines to many logs, one every millisecond. The content of each is the current time in milliseconds since the epoch. */
import { closeSync, openSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { paths, lines } = workerData;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const files = paths.map((path) => openSync(path, "a"));
const startedAt = performance.now();
for (let line = 0; line < lines; ) {
  Atomics.wait(sleeper, 0, 0, 1);
  // A late timer must not lower the rate.
  for (const due = performance.now() - startedAt; line < Math.min(due, lines); line++) {
    const now = performance.timeOrigin + performance.now();
    // A prime step visits all logs, but not neighbours one after the other.
    writeSync(files[(line * 7919) % files.length], `${new Date(now).toISOString()} stdout F ${now}\n`);
  }
}
for (const file of files) closeSync(file);
