import { Metadata, Status } from "nice-grpc";
import { describe, expect, test } from "vitest";
import { CriError } from "../../src/index.js";
import type { FakeRuntime } from "../../src/testing/index.js";
import { connect, failureOf, podConfig, runPod, start } from "./fake-support.js";
import { rejection, startFake } from "./support.js";

describe("faults", () => {
  test("a failure happens once", async () => {
    const { fake, runtime } = await start();
    fake.failNext("Version", { code: "UNAVAILABLE", message: "not yet — später", trailers: { "x-why": "test" } });
    let trailer: string | undefined;
    const call = runtime.version({}, { onTrailer: (metadata) => (trailer = metadata.get("x-why")) });
    expect(await failureOf(call)).toMatchObject({ code: Status.UNAVAILABLE, details: "not yet — später" });
    expect(trailer).toBe("test");
    await runtime.version({});
    expect(fake.calls.map((recorded) => recorded.outcome)).toEqual(["UNAVAILABLE", "OK"]);
  });

  test("can be injected after the effect", async () => {
    const { fake, runtime } = await start();
    fake.failNext("RunPodSandbox", { code: "INTERNAL", phase: "afterEffect" });
    expect((await failureOf(runPod({ runtime }))).code).toBe(Status.INTERNAL);
    expect(fake.pods).toHaveLength(1);
  });

  test("can be injected during the effect, which releases the name", async () => {
    const { fake, runtime } = await start();
    fake.failNext("RunPodSandbox", { code: "UNKNOWN", message: "failed to setup network", phase: "duringEffect" });
    expect((await failureOf(runPod({ runtime }))).details).toBe("failed to setup network");
    expect(fake.pods).toEqual([]);
    await runPod({ runtime });
  });

  test("are injected into matching calls, and pending ones are listed", async () => {
    const { fake, runtime } = await start();
    fake.failNext("RunPodSandbox", { code: "INTERNAL", match: ({ config }) => config?.metadata?.name === "b" });
    await runPod({ runtime }, "a");
    expect(fake.pendingFaults).toEqual([{ rpc: "RunPodSandbox", kind: "fail", phase: "beforeEffect", times: 1 }]);
    await failureOf(runPod({ runtime }, "b"));
    expect(fake.pendingFaults).toEqual([]);
    fake.failNext("*", { code: "ABORTED", times: Infinity });
    expect((await failureOf(runtime.status({}))).code).toBe(Status.ABORTED);
    fake.clearFaults();
    await runtime.status({});
  });

  test("a delay ends with the client's deadline", async () => {
    const { fake, runtime } = await start();
    fake.delayNext("Version", 60_000);
    const error = await failureOf(runtime.version({}, { metadata: Metadata({ "grpc-timeout": "30m" }) }));
    expect(error.code).toBe(Status.DEADLINE_EXCEEDED);
    await expect.poll(() => fake.calls[0]?.outcome).toBe("DEADLINE_EXCEEDED");
    fake.delayNext("Version", 30);
    const startedAt = performance.now();
    await runtime.version({});
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(28);
  });

  test("a dropped connection is UNAVAILABLE, before and after the effect", async () => {
    const { fake, runtime } = await start();
    fake.dropNext("RunPodSandbox", "beforeEffect");
    expect((await failureOf(runPod({ runtime }))).code).toBe(Status.UNAVAILABLE);
    expect(fake.pods).toHaveLength(0);
    fake.dropNext("RunPodSandbox", "afterEffect");
    expect((await failureOf(runPod({ runtime }))).code).toBe(Status.UNAVAILABLE);
    expect(fake.pods).toHaveLength(1);
    expect(fake.calls.map((call) => [call.outcome, call.connection])).toEqual([
      ["DROPPED", 1],
      ["DROPPED", 2],
    ]);
  });

  test("a dropped connection fails its other calls, and no other connection", async () => {
    const { fake, runtime } = await start();
    const other = connect(fake.endpoint);
    await other.runtime.version({});
    fake.hangNext("Status", { times: 2 });
    const arrived = [fake.nextCall("Status", () => true)];
    const otherCall = runtime.status({});
    await arrived[0];
    const stays = other.runtime.status({});
    const settled: string[] = [];
    stays.catch(() => settled.push("other"));
    await expect.poll(() => fake.callsOf("Status").length).toBe(2);
    fake.dropNext("Version");
    await failureOf(runtime.version({}));
    expect((await failureOf(otherCall)).code).toBe(Status.UNAVAILABLE);
    expect(settled).toEqual([]);
  });

  test("replace replies", async () => {
    const { fake, runtime } = await start();
    fake.respondNext("RunPodSandbox", {});
    expect((await runtime.runPodSandbox({ config: podConfig("a") })).podSandboxId).toBe("");
    expect(fake.pods).toHaveLength(1);
    fake.respondNext("Version", (reply) => ({ ...reply, runtimeName: "" }));
    expect(await runtime.version({})).toMatchObject({ runtimeName: "", runtimeApiVersion: "v1" });
    fake.respondNext("ContainerStatus", { status: { id: "made up" } });
    expect((await runtime.containerStatus({ containerId: "nope" })).status?.id).toBe("made up");
    expect((await failureOf(runtime.containerStatus({ containerId: "nope" }))).code).toBe(Status.NOT_FOUND);
  });

  test("a stream breaks after its first message", async () => {
    const { fake, runtime } = await start({ implemented: "all", streamBatchSize: 1 });
    for (const name of ["a", "b"]) await runPod({ runtime }, name);
    for (const fault of ["fail", "drop"]) {
      if (fault === "fail") fake.failNext("StreamPodSandboxes", { code: "UNAVAILABLE", phase: "duringEffect" });
      else fake.dropNext("StreamPodSandboxes", "duringEffect");
      let messages = 0;
      const reading = (async () => {
        for await (const _ of runtime.streamPodSandboxes({})) messages++;
      })();
      expect((await failureOf(reading)).code).toBe(Status.UNAVAILABLE);
      if (fault === "fail") expect(messages).toBe(1);
    }
  });
});

const pods = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `pod-${index}` }));

describe("a slow reply", () => {
  test("arrives in pieces, unchanged", async () => {
    const { runtime, cri } = await startFake();
    runtime.slowNext("Version", { chunkBytes: 10, everyMs: 20 });
    expect(runtime.pendingFaults).toEqual([{ rpc: "Version", kind: "slow", phase: "afterEffect", times: 1 }]);
    const startedAt = performance.now();
    expect(await cri.version()).toMatchObject({ runtimeName: "containerd", runtimeApiVersion: "v1" });
    // About 40 bytes.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(3 * 20 - 2);
    expect(runtime.calls[0]).toMatchObject({ outcome: "OK", messagesSent: 1 });
    expect(runtime.calls[0]?.faults).toEqual([{ kind: "slow", phase: "afterEffect", origin: "test" }]);
  });

  test("slows down each message of a stream", async () => {
    const { runtime, cri } = await startFake({ implemented: "all", streamBatchSize: 1 });
    for (const spec of pods(3)) await cri.pods.run(spec);
    runtime.slowNext("StreamPodSandboxes", { chunkBytes: 100, everyMs: 10 });
    const arrivals: number[] = [];
    for await (const _ of cri.raw.runtime.streamPodSandboxes({})) arrivals.push(performance.now());
    expect(arrivals).toHaveLength(3);
    // At least two pieces each.
    expect((arrivals[2] as number) - (arrivals[0] as number)).toBeGreaterThanOrEqual(4 * 10 - 2);
  });

  test("ends early with the deadline and with cancellation", async () => {
    const { runtime, cri } = await startFake();
    runtime.slowNext("Version", { everyMs: 60_000, times: 2 });
    expect(await rejection(cri.version({ timeoutMs: 50 }))).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    await expect.poll(() => runtime.calls[0]?.outcome).toMatch(/DEADLINE_EXCEEDED|CANCELLED/);
    const controller = new AbortController();
    const arrived = runtime.nextCall("Version");
    const cancelled = rejection(cri.version({ signal: controller.signal }));
    const call = await arrived;
    controller.abort(new Error("enough"));
    expect(await cancelled).toMatchObject({ message: "enough" });
    await expect.poll(() => call.outcome).toBe("CANCELLED");
    expect(call.messagesSent).toBe(0);
  });

  test("can be combined with a delay and another fault", async () => {
    const { runtime, cri } = await startFake();
    runtime.slowNext("Version", { chunkBytes: 50, everyMs: 1 });
    runtime.delayNext("Version", 5);
    runtime.respondNext("Version", (reply) => ({ ...reply, runtimeName: "other" }));
    expect((await cri.version()).runtimeName).toBe("other");
    expect(runtime.calls[0]?.faults.map(({ kind }) => kind)).toEqual(["delay", "slow", "respond"]);
  });
});

describe("a malformed reply", () => {
  // Field 1 is truncated.
  const truncated = Uint8Array.of(0x0a, 0x40, 0x41);

  test.each([
    ["garbage", Buffer.from("garbage that is not protobuf")],
    ["truncated", truncated],
  ])("makes the client fail with INTERNAL: %s", async (_, bytes) => {
    const { runtime, cri } = await startFake();
    runtime.respondNext("Version", bytes);
    const error = await rejection(cri.version());
    expect(error).toMatchObject({ code: "INTERNAL", attempts: 1, mayHaveTakenEffect: false });
    expect(String(error)).toContain("Response message parsing error");
    runtime.respondNext("StreamContainers", bytes);
    expect(await rejection(cri.containers.list())).toMatchObject({ code: "INTERNAL" });
    expect(runtime.calls[0]?.faults).toEqual([{ kind: "respond", phase: "afterEffect", origin: "test" }]);
  });

  test("counts as a lost reply to a creation, whose result is found", async () => {
    const { runtime, cri } = await startFake();
    runtime.respondNext("RunPodSandbox", truncated);
    const pod = await cri.pods.run({ name: "a" });
    expect(runtime.pods.map(({ id }) => id)).toEqual([pod.id]);
    expect(runtime.callsOf("RunPodSandbox")).toHaveLength(1);
  });

  test("can be derived from the real one", async () => {
    const { runtime, cri } = await startFake();
    runtime.respondNext("Version", ({ runtimeName = "" }) =>
      Buffer.concat([Buffer.of(0x12, 0x20), Buffer.from(runtimeName)]),
    );
    expect(await rejection(cri.version())).toMatchObject({ code: "INTERNAL" });
  });
});

describe("an oversized message", () => {
  test("is rejected by the client, with a remedy", async () => {
    const { runtime, cri } = await startFake();
    runtime.oversizeNext("ListImages");
    const error = await rejection(cri.images.list());
    expect(error).toMatchObject({ code: "RESOURCE_EXHAUSTED", attempts: 1, mayHaveTakenEffect: false });
    const limit = 80 * 2 ** 20;
    expect(String(error)).toContain(`Received message larger than max (${limit + 1} vs ${limit})`);
    expect(String(error)).toContain('raise channelOptions["grpc.max_receive_message_length"] or narrow the filter');
    expect(runtime.callsOf("ListImages")[0]?.faults).toEqual([
      { kind: "oversize", phase: "afterEffect", origin: "test" },
    ]);
    expect(await cri.images.list()).toHaveLength(1);
  });

  test.each([90, 200, 20_000, 3_000_000])("has the requested size: %i", async (bytes) => {
    const { runtime, cri } = await startFake({}, { channelOptions: { "grpc.max_receive_message_length": bytes - 1 } });
    runtime.oversizeNext("Version", { bytes });
    expect(String(await rejection(cri.version()))).toContain(`larger than max (${bytes} vs ${bytes - 1})`);
  });

  test("is the real reply with an unknown field", async () => {
    const { runtime, cri } = await startFake();
    runtime.oversizeNext("Version", { bytes: 3_000_000 });
    expect(await cri.version()).toEqual(await cri.version());
    runtime.oversizeNext("Version", { bytes: 1 });
    expect(await cri.version()).toMatchObject({ runtimeName: "containerd" });
  });

  test("can be the first of a stream, and arrive slowly", async () => {
    const { runtime, cri } = await startFake(
      { implemented: "all", streamBatchSize: 1 },
      { channelOptions: { "grpc.max_receive_message_length": 1_000 } },
    );
    for (const spec of pods(2)) await cri.pods.run(spec);
    runtime.oversizeNext("StreamPodSandboxes", { bytes: 100_000 });
    runtime.slowNext("StreamPodSandboxes", { chunkBytes: 500, everyMs: 1 });
    const error = await rejection(cri.raw.runtime.streamPodSandboxes({})[Symbol.asyncIterator]().next());
    expect(error).toMatchObject({ code: Status.RESOURCE_EXHAUSTED });
    // The server has stopped, too.
    await expect.poll(() => runtime.callsOf("StreamPodSandboxes")[0]?.outcome).toBe("CANCELLED");
  });
});

describe("invalid faults", () => {
  test.each([
    ["chunkBytes", (runtime: FakeRuntime) => runtime.slowNext("Version", { chunkBytes: 0 })],
    ["everyMs", (runtime: FakeRuntime) => runtime.slowNext("Version", { everyMs: -1 })],
    ["bytes", (runtime: FakeRuntime) => runtime.oversizeNext("Version", { bytes: 1.5 })],
    ["bytes", (runtime: FakeRuntime) => runtime.oversizeNext("Version", { bytes: 2 ** 40 })],
    ["ms", (runtime: FakeRuntime) => runtime.delayNext("Version", Number.NaN)],
    ["rpc", (runtime: FakeRuntime) => runtime.slowNext("version" as "Version")],
  ])("are rejected: %s", async (field, inject) => {
    const { runtime } = await startFake();
    expect(() => inject(runtime)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
    expect(runtime.pendingFaults).toEqual([]);
  });
});

describe("kill and restart", () => {
  test("run one after the other, in the order of the calls", async () => {
    const { runtime, cri } = await startFake();
    await Promise.all([runtime.restart(), runtime.kill(), runtime.restart(), runtime.restart()]);
    expect(await cri.version()).toMatchObject({ runtimeName: "containerd" });
    const restarted = runtime.restart();
    await Promise.all([restarted, runtime.stop()]);
    expect(CriError.is(await rejection(cri.version({ retry: false })), "UNAVAILABLE")).toBe(true);
    expect(() => runtime.startChaos()).toThrow(/was stopped/);
  });
});
