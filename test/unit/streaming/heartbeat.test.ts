import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Heartbeat } from "../../../src/streaming/heartbeat.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start({ sent = 0, paused = false, intervalMs = 1_000 } = {}) {
  const state = { sent, paused, pings: 0, timeouts: 0 };
  const heartbeat = new Heartbeat({
    intervalMs,
    ping: () => state.pings++,
    sentBytes: () => state.sent,
    isReadPaused: () => state.paused,
    onTimeout: () => state.timeouts++,
  });
  return { heartbeat, state, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test("keeps pinging while pings are answered", async () => {
  const { heartbeat, state, pass } = start();
  for (let round = 1; round <= 100; round++) {
    await pass(1_000);
    heartbeat.onPong();
  }
  expect(state).toMatchObject({ pings: 100, timeouts: 0 });
});

test("reports a peer that does not answer within one interval", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_999);
  expect(state).toMatchObject({ pings: 1, timeouts: 0 });
  await pass(2);
  expect(state.timeouts).toBe(1);
  heartbeat.stop();
});

test("does not report a peer that sends output without answering pings", async () => {
  const { heartbeat, state, pass } = start();
  for (let round = 0; round < 10; round++) {
    await pass(1_000);
    heartbeat.onReceived();
  }
  expect(state.timeouts).toBe(0);
  await pass(2_001);
  expect(state.timeouts).toBe(1);
  heartbeat.stop();
});

test("accepts an answer that waited in the socket while this process stalled", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_000);
  // Timers run before sockets are read, immediates after.
  vi.advanceTimersByTime(1_000);
  heartbeat.onPong();
  await pass(1);
  expect(state.timeouts).toBe(0);
  heartbeat.stop();
});

test("does not report the peer while a slow reader delays its answer", async () => {
  const { heartbeat, state, pass } = start({ paused: true });
  await pass(10_000);
  expect(state.timeouts).toBe(0);
  heartbeat.stop();
});

test("does not report a server whose command does not read its input", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_000);
  state.sent = 100_000;
  await pass(10_000);
  expect(state.timeouts).toBe(0);
  // A server has five queues, which answer pings in turn. Four answers prove nothing about the fifth.
  for (let round = 0; round < 5; round++) {
    heartbeat.onPong();
    await pass(1_000);
  }
  await pass(10_000);
  expect(state.timeouts).toBe(0);
  // All five queues have passed on the input: a missing answer counts again.
  heartbeat.onPong();
  await pass(2_001);
  expect(state.timeouts).toBe(1);
  heartbeat.stop();
});

test("sends no pings with an interval of 0", async () => {
  const { state, pass } = start({ intervalMs: 0 });
  await pass(1_000_000);
  expect(state).toMatchObject({ pings: 0, timeouts: 0 });
});
