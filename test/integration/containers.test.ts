import { describe, expect, onTestFinished, test } from "vitest";
import { ContainerState, type CriClient, ExecError, InvalidResponseError } from "../../src/index.js";
import { FakeRuntime, type FakeRuntimeOptions } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

async function withContainer(options: FakeRuntimeOptions = {}, command = ["sleep", "1000"]) {
  const { runtime, cri } = await startFake(options);
  const pod = await cri.pods.run({ name: "p", logDirectory: "/var/log/p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1", command });
  return { runtime, cri, pod, container };
}

describe("execSync", () => {
  test("returns exit code and output", async () => {
    const { container } = await withContainer();
    expect(await container.execSync(["echo", "hällo"])).toEqual({ exitCode: 0, stdout: "hällo\n", stderr: "" });
    expect((await container.execSync(["sh", "-c", "exit 7"])).exitCode).toBe(7);
    const { stdout } = await container.execSync(["echo", "x"], { encoding: "buffer" });
    expect(stdout).toEqual(new TextEncoder().encode("x\n"));
  });

  test("throwOnNonZero rejects with the result in the error", async () => {
    const { container } = await withContainer({ exec: () => ({ exitCode: 3, stdout: "out", stderr: "err" }) });
    const error = await rejection(container.execSync(["x"], { throwOnNonZero: true }));
    expect(error).toBeInstanceOf(ExecError);
    expect(error).toMatchObject({ code: "COMMAND_FAILED", exitCode: 3, stdout: "out", stderr: "err" });
  });

  test.each([
    ["containerd-1.6", "was killed"],
    ["containerd-1.7", "was killed"],
    ["containerd-2", "was killed"],
    ["cri-o", "was killed"],
    ["cri-dockerd", "runs on"],
  ] as const)("rejects with COMMAND_TIMED_OUT on %s, with a message that the command %s", async (flavor, end) => {
    const { runtime, container } = await withContainer({ flavor });
    const error = await rejection(container.execSync(["sleep", "30"], { commandTimeoutSeconds: 0.2 }));
    expect(error).toMatchObject({ code: "COMMAND_TIMED_OUT", mayHaveTakenEffect: true });
    expect(String(error)).toContain(end);
    expect(runtime.callsOf("ExecSync")[0]?.request.timeout.toNumber()).toBe(1);
  });

  test("rejects with DEADLINE_EXCEEDED at the deadline of the call", async () => {
    const { container } = await withContainer();
    const error = await rejection(container.execSync(["sleep", "30"], { commandTimeoutSeconds: 60, timeoutMs: 50 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
  });

  test.each([{}, { commandTimeoutSeconds: 60 }])(
    "the deadline of a call kills its command on CRI-O, with %j",
    async (options) => {
      let killed: () => void = () => {};
      const kill = new Promise<void>((resolve) => (killed = resolve));
      const { container } = await withContainer({
        flavor: "cri-o",
        exec: (_container, _command, signal) => {
          signal.addEventListener("abort", () => killed());
          return undefined;
        },
      });
      const error = await rejection(container.execSync(["sleep", "30"], { ...options, timeoutMs: 500 }));
      expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
      await kill;
    },
  );

  test("sends no limit for a timeout that is too large for a runtime", async () => {
    const { runtime, container } = await withContainer();
    await container.execSync(["true"], { commandTimeoutSeconds: 1e12 });
    await container.execSync(["true"], { deadline: new Date("9999-01-01") });
    expect(runtime.callsOf("ExecSync").map(({ request }) => request.timeout.toNumber())).toEqual([0, 0]);
  });

  test.each([[[], "command"] as const, [["", "x"], "command"] as const])(
    "rejects the command %j",
    async (command, field) => {
      const { container } = await withContainer();
      expect(await rejection(container.execSync(command))).toMatchObject({ code: "INVALID_INPUT", field });
    },
  );
});

describe("wait", () => {
  test.each(["containerd-1.6", "containerd-1.7", "containerd-2", "cri-o"] as const)(
    "returns the exit on %s",
    async (flavor) => {
      const { container } = await withContainer({ flavor }, ["sh", "-c", "exit 5"]);
      const exit = await container.wait({ timeoutMs: 5_000 });
      expect(exit).toMatchObject({ exitCode: 5, status: { id: container.id } });
      expect(exit.finishedAt).toBeInstanceOf(Date);
    },
  );

  test("all waits share one event stream, which closes after the last", async () => {
    const { runtime, cri, pod } = await withContainer();
    const containers = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        cri.runContainerInSandbox(pod, { name: `w${index}`, image: "busybox:1", command: ["sleep", "1000"] }),
      ),
    );
    const waits = Promise.all(containers.map((container) => container.wait({ timeoutMs: 20_000 })));
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await Promise.all(containers.map((container) => container.stop({ gracePeriodSeconds: 0 })));
    expect((await waits).map(({ exitCode }) => exitCode)).toEqual([137, 137, 137, 137, 137]);
    await expect.poll(() => runtime.eventSubscribers).toBe(0);
  });

  test("does not use the events of containerd 1.x", async () => {
    const { runtime, container } = await withContainer({ flavor: "containerd-1.7" });
    const wait = container.wait({ timeoutMs: 20_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await container.stop({ gracePeriodSeconds: 0 });
    await wait;
    expect(runtime.callsOf("GetContainerEvents")).toHaveLength(0);
  });

  test("works without events on CRI-O", async () => {
    const { container } = await withContainer({ flavor: "cri-o", events: "off" });
    const wait = container.wait({ timeoutMs: 20_000 });
    await container.stop({ gracePeriodSeconds: 0 });
    expect((await wait).exitCode).toBe(137);
  });

  test("continues after the runtime restarts", async () => {
    const { runtime, container } = await withContainer();
    const wait = container.wait({ timeoutMs: 20_000 });
    await expect.poll(() => runtime.eventSubscribers).toBe(1);
    await runtime.restart();
    await container.stop({ gracePeriodSeconds: 0, retry: { maxAttempts: 20 } });
    expect((await wait).exitCode).toBe(137);
  });

  test("rejects with NOT_FOUND after a removal, and with the last state at its time limit", async () => {
    const { pod, container } = await withContainer();
    const error = await rejection(container.wait({ timeoutMs: 1_000 }));
    expect(error).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(String(error)).toContain(`the last known state of container ${container.id} is CONTAINER_RUNNING`);
    // A running container exits before its removal, and an event may report that exit.
    const created = await pod.createContainer({ name: "created", image: "busybox:1" });
    const wait = created.wait({ timeoutMs: 20_000 });
    await created.remove();
    expect(await rejection(wait)).toMatchObject({ code: "NOT_FOUND" });
  });

  test("adds the last state to a time limit that a poll reports early", async () => {
    const { runtime, container } = await withContainer();
    const polled = runtime.nextCall("ContainerStatus");
    const wait = rejection(container.wait({ timeoutMs: 20_000 }));
    await polled;
    runtime.failNext("ContainerStatus", { code: "DEADLINE_EXCEEDED", message: "no answer within 2 ms" });
    expect(String(await wait)).toContain("no answer within 2 ms; the last known state of container");
  });
});

describe("wait for a container in the state unknown", () => {
  async function lostContainer(times: number) {
    const { runtime, cri } = await startFake({}, { watch: { relistMs: 100 } });
    const pod = await cri.pods.run({ name: "p" });
    const container = await pod.runContainer({ name: "c", image: "busybox:1" });
    const unknown = { status: { state: ContainerState.CONTAINER_UNKNOWN } };
    runtime.respondNext("ContainerStatus", (reply) => ({ ...reply, status: { ...reply.status!, ...unknown.status } }), {
      times,
    });
    return { cri, container };
  }

  test("rejects with the state if it remains unknown", async () => {
    const { container } = await lostContainer(Number.POSITIVE_INFINITY);
    const error = await rejection(container.wait({ timeoutMs: 20_000 }));
    expect(error).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(String(error)).toContain("CONTAINER_UNKNOWN");
  });

  test("continues if the state becomes known again", async () => {
    const { container } = await lostContainer(1);
    const wait = container.wait({ timeoutMs: 20_000 });
    await container.stop({ gracePeriodSeconds: 0 });
    expect((await wait).exitCode).toBe(137);
  });

  test("waitFor() passes the state unknown to its predicate", async () => {
    const { cri, container } = await lostContainer(Number.POSITIVE_INFINITY);
    const isUnknown = ({ state }: { state: ContainerState }) => state === ContainerState.CONTAINER_UNKNOWN;
    expect((await cri.waitFor(container, isUnknown)).id).toBe(container.id);
    const error = await rejection(cri.waitFor(container, () => false, { timeoutMs: 1_000 }));
    expect(String(error)).toContain(`the last known state of container ${container.id} is CONTAINER_UNKNOWN`);
  });
});

describe("restart", () => {
  test("creates the next attempt with the same configuration, and removes the old container", async () => {
    const { runtime, container } = await withContainer();
    const next = await container.restart({ gracePeriodSeconds: 0 });
    expect(await next.status()).toMatchObject({
      metadata: { name: "c", attempt: 1 },
      state: ContainerState.CONTAINER_RUNNING,
      logPath: "/var/log/p/c.1.log",
    });
    expect(runtime.containers.map(({ id }) => id)).toEqual([next.id]);
  });

  test("keepOld keeps the old container", async () => {
    const { runtime, container } = await withContainer();
    await container.restart({ gracePeriodSeconds: 0, keepOld: true });
    expect(runtime.containers).toHaveLength(2);
    expect((await container.status()).state).toBe(ContainerState.CONTAINER_EXITED);
  });

  test("a borrowed handle uses the configuration that containerd reports, and requires it as an option on CRI-O", async () => {
    const { cri, container } = await withContainer();
    await cri.containers.get(container.id).restart({ gracePeriodSeconds: 0 });
    const crio = await withContainer({ flavor: "cri-o" });
    const error = await rejection(crio.cri.containers.get(crio.container.id).restart({ gracePeriodSeconds: 0 }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", field: "options.spec" });
    expect((await crio.container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
    const { config, podConfig } = crio.container;
    await crio.cri.containers.get(crio.container.id).restart({ gracePeriodSeconds: 0, config, podConfig });
  });

  test("sends the configuration of the pod again for an owned container", async () => {
    const { runtime, container } = await withContainer({ flavor: "cri-o" });
    await container.restart({ gracePeriodSeconds: 0 });
    expect(runtime.callsOf("CreateContainer")[1]?.request.sandboxConfig?.logDirectory).toBe("/var/log/p");
  });

  test("keeps the new container and logs a warning if the old one cannot be removed", async () => {
    const warnings: string[] = [];
    const runtime = await FakeRuntime.start({ images: ["busybox:1"] });
    onTestFinished(() => runtime.stop());
    await using cri = await runtime.connect({ logger: { warn: (message) => warnings.push(message) } });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    runtime.failNext("RemoveContainer", { code: "UNKNOWN" });
    const next = await container.restart({ gracePeriodSeconds: 0 });
    expect((await next.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
    expect(warnings).toEqual(["a restarted container could not be removed"]);
  });

  test("keeps the old container if the new one does not start", async () => {
    const { runtime, container } = await withContainer();
    runtime.failNext("StartContainer", { code: "UNKNOWN", message: "no" });
    await rejection(container.restart({ gracePeriodSeconds: 0 }));
    expect(runtime.containers.map(({ id }) => id)).toEqual([container.id]);
  });
});

describe("stop", () => {
  test("uses the grace period of the spec unless the call has one", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p", terminationGracePeriodSeconds: 7 });
    const image = "busybox:1";
    const own = await cri.createContainerInSandbox(pod, { name: "a", image, terminationGracePeriodSeconds: 3 });
    const inherited = await cri.createContainerInSandbox(pod, { name: "b", image });
    await own.stop();
    await own.stop({ gracePeriodSeconds: undefined });
    await cri.containers.get(own).stop();
    await own.stop({ gracePeriodSeconds: 1 });
    await inherited.stop();
    await cri.containers.get(own.id).stop();
    expect(runtime.callsOf("StopContainer").map(({ request }) => request.timeout.toNumber())).toEqual([
      3, 3, 3, 1, 7, 3,
    ]);
  });
});

describe("lists", () => {
  test("are sent once with retry: false", async () => {
    const { runtime, cri } = await startFake({ implemented: "all" });
    runtime.failNext("*", { code: "UNAVAILABLE", times: 10 });
    expect(await rejection(cri.pods.list({}, { retry: false }))).toMatchObject({ code: "UNAVAILABLE", attempts: 1 });
    expect(runtime.calls).toHaveLength(1);
  });

  async function populate(cri: CriClient) {
    const a = await cri.pods.run({ name: "a", namespace: "one", labels: { app: "x" }, cgroupParent: "/x" });
    const b = await cri.pods.run({ name: "b", labels: { app: "y" }, cgroupParent: "/y" });
    for (let index = 0; index < 3; index++) {
      await cri.createContainerInSandbox(a, { name: `c${index}`, image: "busybox:1", labels: { n: `${index}` } });
    }
    return { a, b };
  }

  test("filter by all fields, on the server and in the client", async () => {
    const { runtime, cri } = await startFake();
    const { a, b } = await populate(cri);
    await b.stop();
    const names = async (filter: Parameters<typeof cri.pods.list>[0]) =>
      (await cri.pods.list(filter)).map(({ metadata }) => metadata?.name);
    expect(await names({})).toEqual(["a", "b"]);
    expect(await names({ labels: { app: "y" } })).toEqual(["b"]);
    expect(await names({ state: "ready" })).toEqual(["a"]);
    expect(await names({ state: "notReady" })).toEqual(["b"]);
    expect(await names({ namespace: "one" })).toEqual(["a"]);
    expect(await names({ name: "b", namespace: "one" })).toEqual([]);
    expect(await names({ uid: b.config.metadata?.uid })).toEqual(["b"]);
    expect(await names({ id: a.id.slice(0, 10) })).toEqual(["a"]);
    expect((await cri.containers.list({ pod: a, labels: { n: "1" } })).map(({ metadata }) => metadata?.name)).toEqual([
      "c1",
    ]);
    expect(await cri.containers.list({ name: "c2", state: "created" })).toHaveLength(1);
    expect(await cri.containers.list({ state: "running" })).toEqual([]);
    expect(runtime.callsOf("ListPodSandbox").length).toBeGreaterThan(0);
  });

  test("use the streaming RPC where the runtime implements it", async () => {
    const { runtime, cri } = await startFake({ implemented: "all", streamBatchSize: 2 });
    await populate(cri);
    expect(await cri.containers.list()).toHaveLength(3);
    expect(await cri.pods.list()).toHaveLength(2);
    expect(await cri.images.list()).toHaveLength(2);
    await cri.stats.containers();
    await cri.stats.pods();
    await cri.stats.podMetrics();
    const unary = [
      "ListContainers",
      "ListPodSandbox",
      "ListImages",
      "ListContainerStats",
      "ListPodSandboxStats",
      "ListPodSandboxMetrics",
    ] as const;
    expect(unary.flatMap((rpc) => runtime.callsOf(rpc))).toHaveLength(0);
  });

  test("remember until the next connection that a streaming RPC is not implemented", async () => {
    const { runtime, cri } = await startFake();
    for (let round = 0; round < 3; round++) await cri.pods.list();
    await cri.images.list();
    expect(runtime.callsOf("StreamPodSandboxes")).toHaveLength(1);
    expect(runtime.callsOf("ListPodSandbox")).toHaveLength(3);
    expect(runtime.callsOf("StreamImages")).toHaveLength(1);
    await runtime.restart();
    await cri.waitForReady({ timeoutMs: 5_000 });
    await cri.pods.list();
    expect(runtime.callsOf("StreamPodSandboxes")).toHaveLength(2);
  });

  test("fall back to the unary RPC if a stream breaks", async () => {
    const { runtime, cri } = await startFake({ implemented: "all", streamBatchSize: 1 });
    await populate(cri);
    runtime.dropNext("StreamContainers", "duringEffect");
    const ids = (await cri.containers.list()).map(({ id }) => id);
    expect(ids).toEqual(runtime.containers.map(({ id }) => id));
    // The first batch may or may not arrive before the connection breaks.
    expect(runtime.callsOf("ListContainers").length + runtime.callsOf("StreamContainers").length).toBe(2);
  });
});

describe("incomplete replies", () => {
  test.each([
    ["Version", (cri: CriClient) => cri.version(), { runtimeName: "" }, "version"],
    ["PodSandboxStatus", (cri: CriClient) => cri.pods.get("abc").status(), {}, "status"],
    ["ContainerStatus", (cri: CriClient) => cri.containers.get("abc").status(), {}, "status"],
    ["Exec", (cri: CriClient) => cri.containers.get("abc").execUrl(["sh"]), {}, "url"],
    ["Attach", (cri: CriClient) => cri.containers.get("abc").attachUrl(), {}, "url"],
    ["PortForward", (cri: CriClient) => cri.pods.get("abc").portForwardUrl([80]), {}, "url"],
    ["PullImage", (cri: CriClient) => cri.images.pull("x:1"), {}, "imageRef"],
    ["Status", (cri: CriClient) => cri.status(), {}, "status.conditions[RuntimeReady]"],
    ["ContainerStats", (cri: CriClient) => cri.stats.container("abc"), {}, "stats"],
    ["PodSandboxStats", (cri: CriClient) => cri.stats.pod("abc"), {}, "stats"],
  ] as const)("%s", async (rpc, call, reply, field) => {
    const { runtime, cri } = await startFake();
    runtime.respondNext(rpc, reply as never);
    const error = await rejection(call(cri));
    expect(error).toBeInstanceOf(InvalidResponseError);
    expect(error).toMatchObject({ code: "INVALID_RESPONSE", field, method: expect.stringContaining(rpc) });
  });

  test("images.get resolves to undefined for a missing image", async () => {
    const { cri } = await startFake();
    expect(await cri.images.get("nothing:1")).toBeUndefined();
  });
});

describe("targets", () => {
  test.each(["", " ", "a b", "../x", undefined, null, 7])("rejects the id %j before any I/O", async (id) => {
    const { runtime, cri } = await startFake();
    expect(await rejection(cri.containers.remove(id as string))).toMatchObject({
      code: "INVALID_INPUT",
    });
    expect(runtime.connectionCount).toBe(0);
  });
});
