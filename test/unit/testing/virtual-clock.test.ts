import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { IdSource } from "../../../src/testing/state/ids.js";
import { StreamingSessions } from "../../../src/testing/state/sessions.js";
import { VirtualClock } from "../../../src/testing/state/virtual-clock.js";

test("starts at the current time, stands still, and never returns the same time twice", async () => {
  const clock = new VirtualClock();
  const first = clock.now();
  expect(Math.abs(Number(first / 1_000_000n) - Date.now())).toBeLessThan(60_000);
  await wait(20);
  expect(clock.now() - first).toBe(1n);
  await clock.advance(1_500);
  const later = clock.now();
  expect(later - first).toBe(1_500_000_000n);
  await clock.advance(0.000_001);
  expect(clock.now() - later).toBe(1n);
});

test("fires timers in order, each at its own time", async () => {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const fired: string[] = [];
  const note = (name: string) => fired.push(`${name} ${(clock.now() - startedAt) / 1_000_000n}`);
  clock.startTimer(30, () => note("c"));
  clock.startTimer(10, () => {
    note("a");
    clock.startTimer(10, () => note("b"));
  });
  clock.startTimer(30, () => note("d"));
  clock.startTimer(31, () => note("later"));
  clock.startTimer(Infinity, () => note("never"));
  await clock.advance(30);
  expect(fired).toEqual(["a 10", "b 20", "c 30", "d 30"]);
  await clock.advance(10 ** 12);
  expect(fired).toEqual(["a 10", "b 20", "c 30", "d 30", "later 31"]);
});

test("completes the effects of a timer before the next one fires", async () => {
  const clock = new VirtualClock();
  const order: string[] = [];
  const chain = async (name: string) => {
    await clock.sleep(10);
    for (let step = 0; step < 50; step++) await Promise.resolve();
    await new Promise(setImmediate);
    order.push(name);
    await clock.sleep(5);
    order.push(`${name} again`);
  };
  void chain("first");
  clock.startTimer(11, () => order.push("second"));
  await clock.advance(15);
  expect(order).toEqual(["first", "second", "first again"]);
});

test("stops timers and aborts sleeps", async () => {
  const clock = new VirtualClock();
  clock.startTimer(5, () => expect.unreachable())();
  clock.startTimer(0, () => expect.unreachable())();
  const controller = new AbortController();
  const sleeper = clock.sleep(5, controller.signal);
  controller.abort(new Error("up"));
  await expect(sleeper).rejects.toThrow("up");
  await clock.advance(10);
});

test("fires timers without delay at once", async () => {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  await clock.sleep(0);
  expect(clock.now() - startedAt).toBe(1n);
});

test("runs concurrent advances one after the other", async () => {
  const clock = new VirtualClock();
  const startedAt = clock.now();
  const seen: bigint[] = [];
  clock.startTimer(15, () => seen.push((clock.now() - startedAt) / 1_000_000n));
  await Promise.all([clock.advance(10), clock.advance(10)]);
  expect(seen).toEqual([15n]);
  expect((clock.now() - startedAt) / 1_000_000n).toBe(20n);
});

test("a streaming token is valid for a minute", async () => {
  const clock = new VirtualClock();
  const sessions = new StreamingSessions(new IdSource("s"), clock, async () => "http://127.0.0.1:1");
  const open = async () => {
    const url = await sessions.open({ kind: "portForward", request: { podSandboxId: "p", port: [80] } });
    return url.split("/").at(-1) as string;
  };
  const [early, late] = [await open(), await open()];
  await clock.advance(59_000);
  expect(sessions.take(early)).toBeDefined();
  await clock.advance(1_001);
  expect(sessions.take(late)).toBeUndefined();
});
