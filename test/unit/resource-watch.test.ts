import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { maxStallMs, ResourceWatch } from "../support/resource-watch.js";

/** Keeps the event loop busy until this process has used this much CPU time, in milliseconds. */
function work(ms: number): void {
  const startedAt = process.cpuUsage();
  for (let used = 0; used < ms * 1_000; ) {
    const { user, system } = process.cpuUsage(startedAt);
    used = user + system;
  }
}

describe("ResourceWatch", () => {
  test("counts a stall that has ended", async () => {
    using watch = new ResourceWatch();
    work(maxStallMs + 50);
    await sleep(20);
    expect(watch.stallMs).toBeGreaterThan(maxStallMs);
  });

  test("counts a stall that has not ended", () => {
    using watch = new ResourceWatch();
    work(maxStallMs + 50);
    expect(watch.stallMs).toBeGreaterThan(maxStallMs);
  });

  test("does not count work that lets timers run", async () => {
    using watch = new ResourceWatch();
    for (let turn = 0; turn < 30; turn++) {
      work(15);
      await sleep(1);
    }
    expect(watch.stallMs).toBeLessThan(maxStallMs);
  });

  test("does not count the time for which the process waits for a CPU", () => {
    using watch = new ResourceWatch();
    // Simulates a machine that runs another process.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, maxStallMs + 100);
    expect(watch.stallMs).toBeLessThan(maxStallMs);
  });
});
