/** Writes lines to a log, one every 4 ms. The content of each is the current time in milliseconds since the epoch. */
import { closeSync, openSync, writeSync } from "node:fs";
import { workerData } from "node:worker_threads";

const { path, lines } = workerData;
const sleeper = new Int32Array(new SharedArrayBuffer(4));
const file = openSync(path, "a");
for (let line = 0; line < lines; line++) {
  Atomics.wait(sleeper, 0, 0, 4);
  const now = performance.timeOrigin + performance.now();
  writeSync(file, `${new Date(now).toISOString()} stdout F ${now}\n`);
}
closeSync(file);
