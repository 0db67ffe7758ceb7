import { getEventListeners } from "node:events";
import type { ClientMiddleware } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { CriError } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

/** The grpc-timeout header in milliseconds. */
function milliseconds(grpcTimeout: string | undefined): number {
  const [, value, unit] = /^(\d+)([HMSmun])$/.exec(grpcTimeout ?? "") ?? [];
  return Number(value) * { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }[unit as "m"];
}

describe("the deadline on the wire", () => {
  test.each([
    ["Version", 120_000],
    ["RunPodSandbox", 240_000],
    ["StopContainer", 130_000],
    ["ExecSync", 127_000],
    ["CheckpointContainer", 300_000],
    ["PullImage", undefined],
  ] as const)("%s has its default", async (rpc, expected) => {
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

  test("ExecSync without a command timeout has none", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    await container.execSync(["true"]);
    expect(runtime.callsOf("ExecSync")[0]?.grpcTimeout).toBeUndefined();
  });

  test("timeoutMs, deadline and the earlier of both", async () => {
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

  test("0 removes the default; defaults.timeoutMs is the base of all", async () => {
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

  test("each attempt carries what is left", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
    await cri.version({ timeoutMs: 10_000, retry: { initialBackoffMs: 100, maxBackoffMs: 100 } });
    const sent = runtime.callsOf("Version").map((call) => milliseconds(call.grpcTimeout));
    expect(sent).toHaveLength(3);
    expect(sent.toSorted((a, b) => b - a)).toEqual(sent);
  });
});

describe("a deadline that passes", () => {
  test("rejects locally even if the runtime never answers, and says that a creation may have happened", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("StartContainer");
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.createContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const startedAt = performance.now();
    const error = await rejection(container.start({ timeoutMs: 150 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", mayHaveTakenEffect: true, attempts: 1 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(149);
  });

  test("of a read has no effect to speak of", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("Version");
    expect(await rejection(cri.version({ timeoutMs: 30 }))).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      method: "RuntimeService/Version",
      mayHaveTakenEffect: false,
    });
  });

  test("bounds retries and their pauses together", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 1_000 });
    const error = await rejection(
      cri.version({ timeoutMs: 200, retry: { maxAttempts: 1_000, initialBackoffMs: 40, maxBackoffMs: 40 } }),
    );
    expect(CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")).toBe(true);
    // How many there are depends on the machine: see the unit test.
    expect(runtime.callsOf("Version").length).toBeLessThan(1_000);
  });

  test("in the past does no I/O", async () => {
    const { runtime, cri } = await startFake();
    const error = await rejection(cri.version({ deadline: new Date(Date.now() - 1) }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED", attempts: 0, mayHaveTakenEffect: false });
    expect(runtime.calls).toHaveLength(0);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])(
    "timeoutMs: %s is refused before any I/O",
    async (timeoutMs) => {
      const { runtime, cri } = await startFake();
      expect(await rejection(cri.version({ timeoutMs }))).toMatchObject({ code: "INVALID_INPUT", field: "timeoutMs" });
      expect(runtime.connectionCount).toBe(0);
    },
  );
});

describe("cancellation", () => {
  test("rejects with the signal's own reason, ends the call on the server and leaves no listener", async () => {
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

  test("cuts the pause between attempts short", async () => {
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

  test("an already aborted signal does no I/O", async () => {
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

  test("what a middleware keeps of a call is not touched by later ones", async () => {
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

  test("closing the client ends calls under way with CLIENT_CLOSED, and later ones too", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("Version");
    const call = cri.version();
    await runtime.nextCall("Version");
    await cri.close();
    expect(await rejection(call)).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.version())).toMatchObject({ code: "CLIENT_CLOSED" });
    expect(await rejection(cri.pods.run({ name: "p" }))).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("a derived client ends with its parent, not the other way round", async () => {
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
