import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Heartbeat } from "../../../src/streaming/heartbeat.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function start({ sent = 0, held = false, intervalMs = 1_000 } = {}) {
  const state = { sent, held, pings: 0, silences: 0 };
  const heartbeat = new Heartbeat({
    intervalMs,
    ping: () => state.pings++,
    sentBytes: () => state.sent,
    isReadPaused: () => state.held,
    onTimeout: () => state.silences++,
  });
  return { heartbeat, state, pass: (ms: number) => vi.advanceTimersByTimeAsync(ms) };
}

test("pings that are answered go on for ever", async () => {
  const { heartbeat, state, pass } = start();
  for (let round = 1; round <= 100; round++) {
    await pass(1_000);
    heartbeat.onPong();
  }
  expect(state).toMatchObject({ pings: 100, silences: 0 });
});

test("a peer that does not answer is reported after one interval", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_999);
  expect(state).toMatchObject({ pings: 1, silences: 0 });
  await pass(2);
  expect(state.silences).toBe(1);
  heartbeat.stop();
});

test("output is a sign of life, answered or not", async () => {
  const { heartbeat, state, pass } = start();
  for (let round = 0; round < 10; round++) {
    await pass(1_000);
    heartbeat.onReceived();
  }
  expect(state.silences).toBe(0);
  await pass(2_001);
  expect(state.silences).toBe(1);
  heartbeat.stop();
});

test("an answer that waits in the socket after a stall of this process counts", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_000);
  // Timers are run before sockets are read, immediates after.
  vi.advanceTimersByTime(1_000);
  heartbeat.onPong();
  await pass(1);
  expect(state.silences).toBe(0);
  heartbeat.stop();
});

test("a slow reader, who keeps the answer from arriving, is waited for", async () => {
  const { heartbeat, state, pass } = start({ held: true });
  await pass(10_000);
  expect(state.silences).toBe(0);
  heartbeat.stop();
});

test("a command that reads none of its input may keep the server from answering", async () => {
  const { heartbeat, state, pass } = start();
  await pass(1_000);
  state.sent = 100_000;
  await pass(10_000);
  expect(state.silences).toBe(0);
  // A server has five queues, which answer in turn. Four answers prove nothing about the fifth.
  for (let round = 0; round < 5; round++) {
    heartbeat.onPong();
    await pass(1_000);
  }
  await pass(10_000);
  expect(state.silences).toBe(0);
  // Now all of them have taken what was before: silence counts again.
  heartbeat.onPong();
  await pass(2_001);
  expect(state.silences).toBe(1);
  heartbeat.stop();
});

test("0 means no pings", async () => {
  const { state, pass } = start({ intervalMs: 0 });
  await pass(1_000_000);
  expect(state).toMatchObject({ pings: 0, silences: 0 });
});
