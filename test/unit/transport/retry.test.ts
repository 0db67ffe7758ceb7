import { ClientError, Status } from "nice-grpc-common";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RuntimeServiceDefinition } from "../../../src/proto.js";
import { deadlineLayer } from "../../../src/transport/deadline.js";
import { retryLayer } from "../../../src/transport/retry.js";
import type { Layer } from "../../../src/transport/wire-options.js";

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("attempts and back-off stay within the time limit of the call", async () => {
  const path = "/runtime.v1.RuntimeService/Version";
  const attemptedAt: number[] = [];
  const startedAt = performance.now();
  // biome-ignore lint/correctness/useYield: it fails before it yields anything
  const unavailable: Layer = async function* () {
    attemptedAt.push(performance.now() - startedAt);
    throw new ClientError(path, Status.UNAVAILABLE, "down");
  };
  const layer = deadlineLayer(
    0,
    { closing: [], onlyOwnLayers: true },
    retryLayer(undefined, () => {}, unavailable),
  );
  const call = {
    method: { ...RuntimeServiceDefinition.methods.version, path },
    requestStream: false,
    request: {},
    responseStream: false,
    next: unavailable,
  } as unknown as Parameters<Layer>[0];
  const retry = { maxAttempts: 1_000, initialBackoffMs: 40, maxBackoffMs: 40 };
  const failed = layer(call, { timeoutMs: 200, retry })
    .next()
    .catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  expect(await failed).toMatchObject({ code: Status.UNAVAILABLE });
  expect(attemptedAt).toEqual([0, 40, 80, 120, 160]);
  expect(performance.now() - startedAt).toBe(160);
});
