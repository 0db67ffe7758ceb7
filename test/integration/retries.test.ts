import { inspect } from "node:util";
import type { ClientMiddleware } from "nice-grpc-common";
import { describe, expect, test } from "vitest";
import { CriError } from "../../src/index.js";
import { rejection, startFake } from "./support.js";

const quick = { initialBackoffMs: 1, maxBackoffMs: 5 };

describe("retries", () => {
  test("retries a read-only call twice, and reports the number of attempts", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
    await cri.version({ retry: quick });
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 3 });
    expect(await rejection(cri.version({ retry: quick }))).toMatchObject({ code: "UNAVAILABLE", attempts: 3 });
  });

  test.each(["UNKNOWN", "INTERNAL", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "ABORTED"] as const)(
    "does not retry after %s",
    async (code) => {
      const { runtime, cri } = await startFake();
      runtime.failNext("Version", { code });
      expect(await rejection(cri.version({ retry: quick }))).toMatchObject({ code, attempts: 1 });
      expect(runtime.callsOf("Version")).toHaveLength(1);
    },
  );

  test.each([
    ["StopPodSandbox", 2],
    ["RemovePodSandbox", 2],
    ["StopContainer", 2],
    ["RemoveContainer", 2],
    ["RemoveImage", 2],
    ["UpdateContainerResources", 2],
    ["ReopenContainerLog", 2],
    ["UpdateRuntimeConfig", 2],
    ["ExecSync", 1],
    ["CheckpointContainer", 1],
    ["PullImage", 1],
  ] as const)("sends %s %i times if the first reply is UNAVAILABLE", async (rpc, times) => {
    const { runtime, cri } = await startFake({}, { defaults: { retry: quick } });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    runtime.failNext(rpc, { code: "UNAVAILABLE" });
    const calls: Record<typeof rpc, () => Promise<unknown>> = {
      StopPodSandbox: () => pod.stop(),
      RemovePodSandbox: () => pod.remove(),
      StopContainer: () => container.stop(),
      RemoveContainer: () => container.remove(),
      RemoveImage: () => cri.images.remove("busybox:1"),
      UpdateContainerResources: () => container.updateResources({ resources: { limits: { memory: "1Gi" } } }),
      ReopenContainerLog: () => container.reopenLog(),
      UpdateRuntimeConfig: () => cri.updateRuntimeConfig({ networkConfig: { podCidr: "10.0.0.0/16" } }),
      ExecSync: () => container.execSync(["true"]),
      CheckpointContainer: () => container.checkpoint({ outputPath: "/tmp/x" }),
      PullImage: () => cri.images.pull("busybox:2"),
    };
    if (times === 2) await calls[rpc]();
    else expect(await rejection(calls[rpc]())).toMatchObject({ code: "UNAVAILABLE", attempts: 1 });
    expect(runtime.callsOf(rpc)).toHaveLength(times);
  });

  test("retries a pull only if the call has a retry policy", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("PullImage", { code: "UNAVAILABLE" });
    await cri.images.pull("busybox:2", { retry: quick });
    expect(runtime.callsOf("PullImage")).toHaveLength(2);
  });

  test("retry: false makes one attempt, for a call and for a client", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
    expect(await rejection(cri.version({ retry: false }))).toMatchObject({ attempts: 1 });
    expect(await rejection(cri.with({ retry: false }).version())).toMatchObject({ attempts: 1 });
  });

  test.each([
    [{ maxAttempts: 0 }, "retry.maxAttempts"],
    [{ initialBackoffMs: -1 }, "retry.initialBackoffMs"],
    [{ maxBackoffMs: Number.NaN }, "retry.maxBackoffMs"],
  ])("rejects %j before any I/O", async (retry, field) => {
    const { runtime, cri } = await startFake();
    expect(await rejection(cri.version({ retry }))).toMatchObject({ code: "INVALID_INPUT", field });
    expect(runtime.connectionCount).toBe(0);
  });

  test.each(["No connection", "server is not initialized yet"])(
    "retries every call that reached no handler: %s",
    async (how) => {
      const { runtime, cri } = await startFake();
      await cri.version();
      const manyRetries = { retry: { maxAttempts: 20, initialBackoffMs: 50, maxBackoffMs: 200 } };
      if (how === "No connection") {
        await runtime.kill();
        setTimeout(() => void runtime.restart(), 100);
      } else runtime.failNext("RunPodSandbox", { code: "UNAVAILABLE", message: how, times: 2 });
      await cri.pods.run({ name: "p" }, manyRetries);
      expect(runtime.pods).toHaveLength(1);
    },
  );

  test("retries UNKNOWN while containerd 1.6 starts, like UNAVAILABLE", async () => {
    const { runtime, cri } = await startFake({ flavor: "containerd-1.6" });
    const starting = { code: "UNKNOWN", message: "server is not initialized yet" } as const;
    for (const rpc of ["Version", "RunPodSandbox", "Status"] as const) runtime.failNext(rpc, { ...starting, times: 2 });
    await cri.version({ retry: quick });
    await cri.pods.run({ name: "p" }, { retry: quick });
    await cri.waitForReady({ retry: false, timeoutMs: 10_000 });
    expect(runtime.pendingFaults).toEqual([]);
    runtime.failNext("StartContainer", starting);
    expect(await rejection(cri.containers.get("abc").start({ retry: false }))).toMatchObject({
      code: "UNAVAILABLE",
      mayHaveTakenEffect: false,
    });
  });

  test("the same client reconnects after the runtime was down", async () => {
    const { runtime, cri } = await startFake();
    await cri.version();
    await runtime.kill();
    const error = await rejection(cri.version({ retry: quick }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: false });
    expect(String(error)).toMatch(/is the runtime running\?/);
    await runtime.restart();
    await cri.waitForReady({ timeoutMs: 10_000 });
    await cri.version();
  });
});

describe("effects", () => {
  test("a call that was never sent has no effect", async () => {
    const { runtime, cri } = await startFake();
    await runtime.kill();
    expect(await rejection(cri.containers.get("abc").start())).toMatchObject({
      code: "UNAVAILABLE",
      mayHaveTakenEffect: false,
    });
  });

  test("a call whose reply was lost may have taken effect, unless it is read-only", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { retry: false } });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    runtime.dropNext("ExecSync", "afterEffect");
    expect(await rejection(container.execSync(["true"]))).toMatchObject({ mayHaveTakenEffect: true });
    runtime.dropNext("ContainerStatus", "afterEffect");
    expect(await rejection(container.status())).toMatchObject({ mayHaveTakenEffect: false });
  });

  test("a rejected call has no effect, but one that fails with UNKNOWN may", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("StartContainer", { code: "INVALID_ARGUMENT" });
    expect(await rejection(cri.containers.get("abc").start())).toMatchObject({ mayHaveTakenEffect: false });
    runtime.failNext("StopContainer", { code: "FAILED_PRECONDITION" });
    expect(await rejection(cri.containers.get("abc").stop())).toMatchObject({ mayHaveTakenEffect: false });
    // A later step of the start may fail with this code after others have succeeded.
    runtime.failNext("StartContainer", { code: "FAILED_PRECONDITION" });
    expect(await rejection(cri.containers.get("abc").start())).toMatchObject({ mayHaveTakenEffect: true });
    runtime.failNext("StartContainer", { code: "UNKNOWN" });
    expect(await rejection(cri.containers.get("abc").start())).toMatchObject({ mayHaveTakenEffect: true });
  });

  test("an earlier attempt that may have taken effect counts for the whole call", async () => {
    let attempts = 0;
    const { runtime, cri } = await startFake(
      {},
      {
        attemptMiddleware: [
          // The runtime is down before the second attempt, so that attempt is never sent.
          async function* (call, options) {
            if (call.method.path.endsWith("/StopContainer") && ++attempts === 2) await runtime.kill();
            return yield* call.next(call.request, options);
          },
        ],
      },
    );
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    runtime.dropNext("StopContainer", "afterEffect");
    const stop = rejection(container.stop({ retry: { ...quick, maxAttempts: 3 } }));
    expect(await stop).toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
    expect(attempts).toBe(3);
    expect(runtime.callsOf("StopContainer")).toHaveLength(1);
  });

  test("a call during which the client is closed may have taken effect", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("ExecSync");
    const call = rejection(cri.containers.get("abc").execSync(["true"]));
    await runtime.nextCall("ExecSync");
    await cri.close();
    expect(await call).toMatchObject({
      code: "CLIENT_CLOSED",
      method: "RuntimeService/ExecSync",
      attempts: 1,
      mayHaveTakenEffect: true,
    });
  });

  test("secrets in a runtime's error message are removed from the error and its cause", async () => {
    const { runtime, cri } = await startFake();
    const message = "Head https://bob:hunter2@registry/v2/: 401, Authorization: Bearer abcdef123456";
    runtime.failNext("PullImage", { code: "UNKNOWN", message });
    const error = await rejection(cri.images.pull("x:1"));
    expect(error).toMatchObject({ reason: "Unauthorized", cause: { name: "ClientError" } });
    expect(inspect(error, { depth: 10 }) + (error as Error).stack).not.toMatch(/hunter2|abcdef123456/);
  });

  test("the error for a reply that is too large names the option to change", async () => {
    const { cri } = await startFake({}, { channelOptions: { "grpc.max_receive_message_length": 100 } });
    for (let index = 0; index < 5; index++) await cri.pods.run({ name: `pod-${index}` });
    const error = await rejection(cri.pods.list());
    expect(error).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(String(error)).toContain("grpc.max_receive_message_length");
  });
});

describe("middleware", () => {
  test("runs once per call, attemptMiddleware once per attempt, the first outermost", async () => {
    const log: string[] = [];
    const note = (name: string): ClientMiddleware =>
      async function* (call, options) {
        log.push(name);
        return yield* call.next(call.request, options);
      };
    const { runtime, cri } = await startFake(
      {},
      { middleware: [note("outer"), note("inner")], attemptMiddleware: [note("attempt")], defaults: { retry: quick } },
    );
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    await cri.version();
    expect(log).toEqual(["outer", "inner", "attempt", "attempt"]);
  });

  test("can reject with its own error", async () => {
    const own = new Error("mine");
    const { cri } = await startFake(
      {},
      {
        middleware: [
          // biome-ignore lint/correctness/useYield: a middleware that fails before anything is sent
          async function* () {
            throw own;
          },
        ],
      },
    );
    expect(await rejection(cri.version())).toBe(own);
    expect(CriError.is(await rejection(cri.version()))).toBe(false);
  });

  test("metadata of the client and of the call reaches the runtime, including binary values", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { metadata: { "x-client": "a", "x-both": "client" } } });
    await cri.version({ metadata: { "x-both": "call", "x-many": ["1", "2"], "x-bytes-bin": Uint8Array.of(1, 255) } });
    expect(runtime.callsOf("Version")[0]?.metadata).toMatchObject({ "x-client": "a", "x-both": "call" });
    expect(JSON.stringify(runtime.callsOf("Version")[0]?.metadata["x-many"])).toMatch(/1.*2/);
    for (const metadata of [{ "bad key": "s3cret" }, { authorization: "s3cret\n" }, { "x-bin": "s3cret" }]) {
      const error = await rejection(cri.version({ metadata }));
      expect(error).toMatchObject({ code: "INVALID_INPUT", message: expect.stringContaining("printable ASCII") });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain("s3cret");
    }
  });
});

describe("the raw stubs", () => {
  test("share deadlines and retries, and reject with nice-grpc's ClientError", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    const reply = await cri.raw.runtime.version({}, { retry: quick, timeoutMs: 5_000 });
    expect(reply.runtimeApiVersion).toBe("v1");
    expect(runtime.callsOf("Version")[1]?.grpcTimeout).toMatch(/^[34]\d{3}m$|^5000m$/);
    const error = await rejection(cri.raw.runtime.containerStatus({ containerId: "nope" }));
    expect(error).toMatchObject({ name: "ClientError", path: "/runtime.v1.RuntimeService/ContainerStatus" });
  });

  test("cover all 43 RPCs", async () => {
    const { cri } = await startFake();
    expect(Object.keys(cri.raw.runtime)).toHaveLength(37);
    expect(Object.keys(cri.raw.image)).toHaveLength(6);
  });
});
