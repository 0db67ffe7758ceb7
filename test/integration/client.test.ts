import { getEventListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { CriClient, type CriLogger, EndpointError } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { unusedEndpoint } from "../support/platform.js";
import { rejection, startFake } from "./support.js";

describe("connect", () => {
  test("verifies the runtime with Version, and a separate image service as well", async () => {
    const runtime = await FakeRuntime.start();
    const images = await FakeRuntime.start();
    onTestFinished(async () => {
      await runtime.stop();
      await images.stop();
    });
    await using both = await CriClient.connect({ endpoint: runtime.endpoint, imageEndpoint: images.endpoint });
    await both.images.pull("busybox:1");
    expect(images.calls.map(({ rpc }) => rpc)).toEqual(["ImageFsInfo", "PullImage"]);
    expect(runtime.calls.map(({ rpc }) => rpc)).toEqual(["Version"]);
    await using one = await CriClient.connect({ endpoint: runtime.endpoint, imageEndpoint: runtime.endpoint });
    await one.images.list();
    expect(runtime.connectionCount).toBe(2);
  });

  test("the error for an endpoint without CRI names the problem", async () => {
    const runtime = await FakeRuntime.start({ serveCri: false });
    onTestFinished(() => runtime.stop());
    const error = await rejection(CriClient.connect({ endpoint: runtime.endpoint }));
    expect(error).toBeInstanceOf(EndpointError);
    expect(error).toMatchObject({ code: "UNIMPLEMENTED", endpoint: runtime.endpoint });
    expect(String(error)).toMatch(/serves no CRI v1.*1\.6.*disabled_plugins.*disable_tcp_service/);
  });

  test("rejects at once if nothing listens", async () => {
    const error = await rejection(CriClient.connect({ endpoint: unusedEndpoint }));
    expect(error).toMatchObject({ name: "EndpointError", code: "UNAVAILABLE" });
    expect(String(error)).toMatch(/no socket at this path/);
  });

  test("times out on a runtime that does not reply, and rejects on abort", async () => {
    const runtime = await FakeRuntime.start();
    onTestFinished(() => runtime.stop());
    runtime.hangNext("Version", { times: 2 });
    const options = { endpoint: runtime.endpoint, connectTimeoutMs: 50 };
    expect(await rejection(CriClient.connect(options))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const signal = AbortSignal.timeout(30);
    expect(await rejection(CriClient.connect({ endpoint: runtime.endpoint, signal }))).toBe(signal.reason);
    await expect.poll(() => runtime.connectionCount).toBe(0);
  });

  test("uses the endpoint from the environment", async () => {
    const runtime = await FakeRuntime.start();
    onTestFinished(() => runtime.stop());
    const before = process.env.CONTAINER_RUNTIME_ENDPOINT;
    process.env.CONTAINER_RUNTIME_ENDPOINT = runtime.endpoint;
    try {
      await using cri = await CriClient.connect();
      expect(cri.endpoint).toBe(runtime.endpoint);
    } finally {
      if (before === undefined) delete process.env.CONTAINER_RUNTIME_ENDPOINT;
      else process.env.CONTAINER_RUNTIME_ENDPOINT = before;
    }
  });

  test.each([
    [{ endpoint: "run/x.sock" }, "endpoint"],
    [{ endpoint: unusedEndpoint, imageEndpoint: "tcp://h:1" }, "imageEndpoint"],
    [{ endpoint: unusedEndpoint, connectTimeoutMs: -1 }, "connectTimeoutMs"],
    [{ endpoint: unusedEndpoint, defaults: { timeoutMs: Number.NaN } }, "defaults.timeoutMs"],
    [{ endpoint: unusedEndpoint, tls: { cert: "x" } }, "tls"],
  ])("refuses %j", async (options, field) => {
    const error = await rejection(CriClient.connect(options));
    expect(error).toMatchObject({ code: "INVALID_INPUT", field: expect.stringContaining(field) });
    expect(() => CriClient.lazy(options)).toThrow();
  });

  test("lazy() does no I/O until the first call", async () => {
    const { runtime, cri } = await startFake();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(runtime.connectionCount).toBe(0);
    await cri.version();
    expect(runtime.connectionCount).toBe(1);
  });

  test("close() closes the connection, and a second close() succeeds", async () => {
    const { runtime, cri } = await startFake();
    await cri.version();
    await cri.close();
    await cri.close();
    await expect.poll(() => runtime.connectionCount).toBe(0);
  });

  test("close() during the first call leaves no connection", async () => {
    const { runtime } = await startFake();
    for (const wait of [() => {}, () => Promise.resolve(), () => new Promise((resolve) => setImmediate(resolve))]) {
      const cri = CriClient.lazy({ endpoint: runtime.endpoint });
      const call = rejection(cri.version());
      await wait();
      await cri.close();
      expect(await call).toMatchObject({ code: "CLIENT_CLOSED" });
    }
    await sleep(300);
    expect(runtime.connectionCount).toBe(0);
  });

  test("a client that was closed while the runtime was down does not reconnect", async () => {
    const { runtime } = await startFake();
    await runtime.kill();
    for (let times = 0; times < 5; times++) {
      const cri = CriClient.lazy({ endpoint: runtime.endpoint });
      expect(await rejection(cri.version())).toMatchObject({ code: "UNAVAILABLE" });
      await cri.close();
    }
    await runtime.restart();
    await sleep(700);
    expect(runtime.connectionCount).toBe(0);
  });
});

describe("runtime status", () => {
  test("returns status, configuration and version", async () => {
    const { runtime, cri } = await startFake();
    expect((await cri.status({ verbose: true })).status?.conditions.map(({ type }) => type)).toContain("RuntimeReady");
    expect((await cri.runtimeConfig()).linux).toBeDefined();
    await cri.updateRuntimeConfig({ networkConfig: { podCidr: "10.0.0.0/16" } });
    expect(runtime.callsOf("UpdateRuntimeConfig")[0]?.request.runtimeConfig?.networkConfig?.podCidr).toBe(
      "10.0.0.0/16",
    );
    expect(await cri.version()).toMatchObject({ runtimeName: "containerd", runtimeApiVersion: "v1" });
  });

  test("capabilities() reports what the runtime implements, regardless of its version", async () => {
    const old = await startFake({ flavor: "containerd-1.6" });
    expect(await old.cri.capabilities()).toMatchObject({
      runtimeName: "containerd",
      runtimeConfig: false,
      podMetrics: false,
      streamingLists: false,
      checkpointPod: false,
    });
    const all = await startFake({ flavor: "containerd-1.6", implemented: "all" });
    expect(await all.cri.capabilities()).toMatchObject({
      runtimeConfig: true,
      podMetrics: true,
      streamingLists: true,
      updatePodResources: true,
      checkpointContainer: true,
      checkpointPod: true,
    });
  });

  test("checkpoints, updates and restores pods with the alpha RPCs", async () => {
    const { runtime, cri } = await startFake({ implemented: "all" });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    await cri.pods.get(pod).checkpoint({ outputPath: "/tmp/p.tar", containers: [container], timeoutMs: 5_000 });
    expect(runtime.callsOf("CheckpointPod")[0]?.request).toMatchObject({
      outputPath: "/tmp/p.tar",
      containerIds: [container.id],
    });
    await pod.updateResources({ resources: { limits: { memory: "64Mi" } } });
    const spec = { name: "q", terminationGracePeriodSeconds: 7 };
    const containers = [{ name: "c", image: "busybox:1" }];
    const restored = await cri.pods.restore(spec, { checkpointPath: "/tmp/p.tar", containers });
    expect(restored.pod.id).not.toBe(pod.id);
    const [request] = runtime.callsOf("RestorePod").map((call) => call.request);
    expect(Object.keys(request?.config?.annotations ?? {})).toEqual(["k8s-cri-client/pod-config"]);
    expect(request?.containerConfigs[0]?.annotations).toEqual({
      "k8s-cri-client/termination-grace-period-seconds": "7",
    });
  });

  test("waitForReady({ network: true }) waits for the network", async () => {
    const { runtime, cri } = await startFake();
    const conditions = (network: boolean) => ({
      status: {
        conditions: [
          { type: "RuntimeReady", status: true, reason: "", message: "" },
          { type: "NetworkReady", status: network, reason: "", message: "" },
        ],
      },
      info: {},
      runtimeHandlers: [],
      features: undefined,
    });
    runtime.respondNext("Status", conditions(false), { times: 2 });
    await cri.waitForReady({ timeoutMs: 5_000 });
    await cri.waitForReady({ network: true, timeoutMs: 5_000 });
    expect(runtime.callsOf("Status")).toHaveLength(3);
  });
});

describe("with()", () => {
  test("replaces the given defaults and keeps the others", async () => {
    const { runtime, cri } = await startFake({}, { defaults: { timeoutMs: 5_000, metadata: { a: "1", b: "1" } } });
    const derived = cri.with({ timeoutMs: undefined, metadata: { b: "2" } });
    await derived.version();
    await derived.raw.runtime.version({});
    for (const call of runtime.callsOf("Version")) {
      expect(call.metadata).toMatchObject({ a: "1", b: "2" });
      expect(Number.parseInt(call.grpcTimeout ?? "", 10)).toBeLessThanOrEqual(5_000);
    }
  });

  test("a signal aborts all calls, streams, views and waits of the derived client, but none of the original", async () => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const scoped = cri.with({ signal: abort.signal });
    const pod = await scoped.pods.run({ name: "p" });
    const container = await pod.runContainer({ name: "c", image: "busybox:1", command: ["sleep", "1000"] });
    const view = scoped.watch();
    await view.ready;
    runtime.hangNext("Status");
    const read = async (stream: AsyncIterable<unknown>) => {
      for await (const _ of stream);
    };
    const ends = [
      scoped.status(),
      container.wait(),
      container.exec(["sleep", "1000"]).then((session) => session.exit),
      read(scoped.events()),
      read(scoped.stats.watch({ intervalMs: 60_000 })),
      read(scoped.logs({}, { follow: "forever" })),
    ].map(rejection);
    await expect.poll(() => runtime.callsOf("Status").length).toBe(1);
    await sleep(300);
    abort.abort(new Error("enough"));
    for (const end of ends) expect(await end).toBe(abort.signal.reason);
    await view.closed;
    expect(await rejection(scoped.version())).toBe(abort.signal.reason);
    await cri.version();
    await pod.dispose();
    expect(runtime.pods).toEqual([]);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0);
  });

  test("aborting its signal rolls back a creation", async () => {
    const { runtime, cri } = await startFake();
    const abort = new AbortController();
    const pod = await cri.pods.run({ name: "p" });
    runtime.hangNext("StartContainer");
    const run = rejection(
      cri.with({ signal: abort.signal }).runContainerInSandbox(pod, { name: "c", image: "busybox:1" }),
    );
    await expect.poll(() => runtime.callsOf("StartContainer").length).toBe(1);
    abort.abort(new Error("enough"));
    expect(await run).toBe(abort.signal.reason);
    expect(runtime.containers).toEqual([]);
  });

  test("returns a closed client if the original is closed", async () => {
    const { cri } = await startFake();
    await cri.close();
    expect(await rejection(cri.with({}).version())).toMatchObject({ code: "CLIENT_CLOSED" });
  });

  test("leaks no listeners in many calls", async () => {
    const { cri } = await startFake();
    const { signal } = new AbortController();
    for (let round = 0; round < 100; round++) await cri.with({ timeoutMs: 1_000 + round }).version({ signal });
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

test("closing the client rejects a pending wait()", async () => {
  const { runtime, cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  const wait = rejection(container.wait());
  await expect.poll(() => runtime.callsOf("ListContainers").length, { timeout: 10_000 }).toBeGreaterThan(2);
  await cri.close();
  expect(await wait).toMatchObject({ code: "CLIENT_CLOSED" });
});

test("wait() rejects with UNAVAILABLE if nothing listens on the endpoint", async () => {
  const cri = CriClient.lazy({ endpoint: unusedEndpoint, defaults: { retry: false } });
  onTestFinished(() => cri.close());
  expect(await rejection(cri.containers.get("abc").wait())).toMatchObject({ code: "UNAVAILABLE" });
});

test("waitForReady() waits while the runtime reports no conditions", async () => {
  const { runtime, cri } = await startFake();
  runtime.respondNext("Status", { status: { conditions: [] } }, { times: 2 });
  await cri.waitForReady({ timeoutMs: 20_000 });
  expect(runtime.callsOf("Status").length).toBe(3);
});

test("waitForReady() keeps waiting while Status fails with DEADLINE_EXCEEDED", async () => {
  const { runtime, cri } = await startFake();
  runtime.failNext("Status", { code: "DEADLINE_EXCEEDED" });
  await cri.waitForReady({ timeoutMs: 5_000 });
});

describe("the logger", () => {
  test("receives a record of every attempt, without secrets", async () => {
    const records: [string, Record<string, unknown>][] = [];
    const logger: CriLogger = { debug: (message, fields) => records.push([message, fields]) };
    const { runtime, cri } = await startFake({}, { logger });
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    await cri.version({ retry: { initialBackoffMs: 1 } });
    await cri.images.pull("x:1", { auth: { username: "me", password: "s3cret" } });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "x:1", env: { TOKEN: "s3cret" } });
    const url = await cri.containers.get(container).execUrl(["sh"]);
    await rejection(cri.containers.get("nope").status());
    expect(records.slice(0, 2)).toMatchObject([
      ["RuntimeService/Version UNAVAILABLE", { attempt: 1, endpoint: runtime.endpoint, outcome: "UNAVAILABLE" }],
      ["RuntimeService/Version OK", { attempt: 2 }],
    ]);
    expect(records.at(-1)).toMatchObject([
      "RuntimeService/ContainerStatus NOT_FOUND",
      { details: expect.stringContaining("nope") },
    ]);
    const logged = JSON.stringify(records);
    expect(logged).not.toContain("s3cret");
    expect(logged).not.toContain(url.split("/").at(-1));
    expect(logged).toContain("TOKEN");
  });

  test("line breaks in a runtime's error message are escaped, in log records and in the error, its cause and stack", async () => {
    const details: unknown[] = [];
    const logger: CriLogger = { debug: (_message, fields) => details.push(fields.details) };
    const { runtime, cri } = await startFake({}, { logger });
    const forged =
      "no such container\n2026-11-28T00:00:00Z ERROR forged\r\n    at root (/etc/shadow:1:1)\n    at s3cret";
    runtime.failNext("ContainerStatus", { code: "NOT_FOUND", message: forged });
    const error = await rejection(cri.containers.get("c").status());
    const { message, stack, cause } = error as Error & { cause: Error };
    for (const text of [details[0], message, stack, cause.message, cause.stack, inspect(error)]) {
      expect(text).toContain("no such container\\n2026");
      expect(text).not.toMatch(/\n(?:2026| {4}at root| {4}at s3cret)/);
    }
  });

  test("an error that the logger throws does not fail the call", async () => {
    const logger: CriLogger = {
      debug: () => {
        throw new Error("disk full");
      },
    };
    const { cri } = await startFake({}, { logger });
    await cri.version();
  });
});

test("FakeRuntime.connect() returns a verified client", async () => {
  await using runtime = await FakeRuntime.start();
  await using cri = await runtime.connect({ defaults: { retry: false } });
  expect(cri.endpoint).toBe(runtime.endpoint);
  expect(runtime.callsOf("Version")).toHaveLength(1);
});
