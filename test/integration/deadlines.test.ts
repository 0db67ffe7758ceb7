import { getEventListeners } from "node:events";
import type { ClientMiddleware } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { CriError } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

/** Parses the grpc-timeout header to milliseconds. */
function milliseconds(grpcTimeout: string | undefined): number {
  const [, value, unit] = /^(\d+)([HMSmun])$/.exec(grpcTimeout ?? "") ?? [];
  return Number(value) * { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }[unit as "m"];
}

describe("the deadline in grpc-timeout", () => {
  test.each([
    ["Version", 120_000],
    ["RunPodSandbox", 240_000],
    ["StopContainer", 130_000],
    ["ExecSync", 127_000],
    ["CheckpointContainer", 300_000],
    ["PullImage", undefined],
  ] as const)("is the default of %s", async (rpc, expected) => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    await cri.version();
    await cri.images.pull("busybox:2");
    await container.execSync(["true"], { commandTimeoutSeconds: 6.2 });
    await container.checkpoint({ outputPath: "/tmp/x", checkpointTimeoutSeconds: 300 });
    await container.stop({ gracePeriodSeconds: 10 });
    const sent = runtime.callsOf(rpc)[0]?.grpcTimeout;
    if (expected === undefined) return expect(sent).toBeUndefined();
    expect(milliseconds(sent)).toBeLessThanOrEqual(expected);
    expect(milliseconds(sent)).toBeGreaterThan(expected - 2_000);
  });

  test("is not set for ExecSync without commandTimeoutSeconds", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    await container.execSync(["true"]);
    expect(runtime.callsOf("ExecSync")[0]?.grpcTimeout).toBeUndefined();
  });

  test("is timeoutMs, deadline or the earlier of both", async () => {
    const { runtime, cri } = await startFake();
    await cri.version({ timeoutMs: 5_000 });
    await cri.version({ deadline: new Date(Date.now() + 4_000) });
    await cri.version({ timeoutMs: 5_000, deadline: new Date(Date.now() + 3_000) });
    const sent = runtime.callsOf("Version").map((call) => milliseconds(call.grpcTimeout));
    for (const [index, most] of [5_000, 4_000, 3_000].entries()) {
      expect(sent[index]).toBeLessThanOrEqual(most);
      expect(sent[index]).toBeGreaterThan(most - 1_500);
    }
  });

  test("is not set with timeoutMs: 0, and derived from defaults.timeoutMs", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { timeoutMs: 1_000 } });
    await cri.version({ timeoutMs: 0 });
    await cri.pods.run({ name: "p" });
    await cri.with({ timeoutMs: 0 }).pods.run({ name: "q" });
    expect(runtime.callsOf("Version")[0]?.grpcTimeout).toBeUndefined();
    const [first, second] = runtime.callsOf("RunPodSandbox");
    expect(milliseconds(first?.grpcTimeout)).toBeGreaterThan(1_000);
    expect(milliseconds(first?.grpcTimeout)).toBeLessThanOrEqual(2_000);
    expect(second?.grpcTimeout).toBeUndefined();
  });

  test("is the remaining time for each attempt", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
    await cri.version({ timeoutMs: 10_000, retry: { initialBackoffMs: 100, maxBackoffMs: 100 } });
    const sent = runtime.callsOf("Version").map((call) => milliseconds(call.grpcTimeout));
    expect(sent).toHaveLength(3);
    expect(sent.toSorted((a, b) => b - a)).toEqual(sent);
  });
});

describe("an expired deadline", () => {
  test("rejects even if the runtime never replies, with mayHaveTakenEffect for a call that changes something", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("StartContainer");
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.createContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const startedAt = performance.now();
    const error = await rejection(container.start({ timeoutMs: 150 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: true, attempts: 1 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(149);
  });

  test("has no effect for a read-only call", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("Version");
    expect(await rejection(cri.version({ timeoutMs: 30 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      method: "RuntimeService/Version",
      mayHaveTakenEffect: false,
    });
  });

  test("bounds all retries and back-offs together", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 1_000 });
    const error = await rejection(
      cri.version({ timeoutMs: 200, retry: { maxAttempts: 1_000, initialBackoffMs: 40, maxBackoffMs: 40 } }),
    );
    expect(CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")).toBe(true);
    // The number depends on the machine. A unit test checks it in virtual time.
    expect(runtime.callsOf("Version").length).toBeLessThan(1_000);
  });

  test("causes no I/O if it is in the past", async () => {
    const { runtime, cri } = await startFake();
    const error = await rejection(cri.version({ deadline: new Date(Date.now() - 1) }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", attempts: 0, mayHaveTakenEffect: false });
    expect(runtime.calls).toHaveLength(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    "timeoutMs: %s is rejected before any I/O",
    async (timeoutMs) => {
      const { runtime, cri } = await startFake();
      expect(await rejection(cri.version({ timeoutMs }))).toMatchObject({ code: "INVALID_INPUT", field: "timeoutMs" });
      expect(runtime.connectionCount).toBe(0);
    },
  );
});

describe("cancellation", () => {
  test("rejects with the signal's reason, cancels the call on the server and leaves no listener", async () => {
    const { runtime, cri } = await startFake();
    const controller = new AbortController();
    runtime.hangNext("ListPodSandbox");
    const call = cri.pods.list({}, { signal: controller.signal });
    const seen = await runtime.nextCall("ListPodSandbox");
    const reason = new Error("shutdown");
    controller.abort(reason);
    expect(await rejection(call)).toBe(reason);
    await expect.poll(() => seen.cancelled).toBe(true);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("ends the back-off between attempts", async () => {
    const { runtime, cri } = await startFake();
    const controller = new AbortController();
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    const call = cri.version({
      signal: controller.signal,
      retry: { initialBackoffMs: 1e9, maxBackoffMs: 1e9 },
      timeoutMs: 0,
    });
    await runtime.nextCall("Version");
    setTimeout(() => controller.abort("enough"), 20);
    expect(await rejection(call)).toBe("enough");
  });

  test("a signal that is already aborted causes no I/O", async () => {
    const { runtime, cri } = await startFake();
    const signal = AbortSignal.abort("never");
    for (const call of [
      () => cri.version({ signal }),
      () => cri.pods.run({ name: "p" }, { signal }),
      () => cri.pods.list({}, { signal }),
      () => cri.runContainerInSandbox("abc", { name: "c", image: "busybox:1" }, { signal }),
      () => cri.containers.get("abc").wait({ signal }),
    ]) {
      expect(await rejection(call())).toBe("never");
    }
    expect(runtime.calls).toHaveLength(0);
  });

  test("a thousand calls on one signal leave no listener", async () => {
    const { cri } = await startFake();
    const { signal } = new AbortController();
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 50 }, () => cri.version({ signal })));
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("later calls do not change the signal that a middleware kept", async () => {
    const signals: AbortSignal[] = [];
    const keep: ClientMiddleware = async function* keep(call, options) {
      if (options.signal) signals.push(options.signal);
      return yield* call.next(call.request, options);
    };
    const { runtime, cri } = await startFake({}, { attemptMiddleware: [keep] });
    for (let call = 0; call < 3; call++) await cri.version();
    expect(new Set(signals).size).toBe(3);
    runtime.hangNext("Version");
    expect(await rejection(cri.version({ timeoutMs: 50 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false, true]);
  });

  test("closing the client rejects running and later calls with CLIENT_CLOSED", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("Version");
    const call = cri.version();
    await runtime.nextCall("Version");
    await cri.close();
    expect(await rejection(call)).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.version())).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.pods.run({ name: "p" }))).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("closing a client closes derived clients, and closing a derived client does not close the original", async () => {
    const { cri } = await startFake();
    const derived = cri.with({ timeoutMs: 5_000 });
    await derived.close();
    expect(await rejection(derived.version())).toMatchObject({ code: "CLIENT_CLOSED" });
    await cri.version();
    const second = cri.with({});
    await cri.close();
    expect(await rejection(second.version())).toMatchObject({ code: "CLIENT_CLOSED" });
  });
});
