/** Stopping and removing running pods and containers: the same on every runtime, and faster than the deadline of a call. */
import { describe, expect, onTestFinished, test } from "vitest";
import { ContainerState, CriClient, type OwnedPodSandbox } from "../../src/index.js";
import type { FakeFlavor, FakeRuntime } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const flavors = [
  "containerd-1.6",
  "containerd-1.7",
  "containerd-2",
  "cri-o",
  "cri-dockerd",
] as const satisfies FakeFlavor[];

/** Far above the grace periods in these tests, and far below the 2 min deadline of a call. */
const timeoutMs = 15_000;

/** Runs a pod with three containers that ignore SIGTERM. */
async function unresponsivePod(flavor: FakeFlavor, seconds?: number) {
  const { runtime, cri } = await startFake({ flavor, run: () => ({ onSignal: () => "ignore" }) });
  const pod = await cri.pods.run({ name: "p", terminationGracePeriodSeconds: seconds });
  for (const name of ["a", "b", "c"]) await pod.runContainer({ name, image: "busybox:1" });
  return { runtime, cri, pod };
}

/** Returns the Stop and Remove calls in the order of their arrival, and the grace periods of StopContainer. */
function stopCalls(runtime: FakeRuntime) {
  const stops = runtime.callsOf("StopContainer").map(({ request }) => request.timeout.toNumber());
  const names = runtime.calls.map(({ rpc }) => rpc).filter((rpc) => /^(Stop|Remove)/.test(rpc));
  return { names, stops };
}

const running = ContainerState.CONTAINER_RUNNING;

/** Creates a client that runs `before` before it sends a call of this RPC. */
function clientWithHook({ endpoint }: FakeRuntime, rpc: string, before: () => Promise<void>): CriClient {
  const cri = CriClient.lazy({
    endpoint,
    middleware: [
      async function* (call, options) {
        if (call.method.path.endsWith(`/${rpc}`)) await before();
        return yield* call.next(call.request, options);
      },
    ],
  });
  onTestFinished(() => cri.close());
  return cri;
}

function isEmpty({ pods, containers }: FakeRuntime): boolean {
  return pods.length === 0 && containers.length === 0;
}

describe.each(flavors)("on %s", (flavor) => {
  test(
    "stops containers that ignore SIGTERM in parallel, and then the pod",
    async () => {
      const { runtime, cri, pod } = await unresponsivePod(flavor);
      await cri.pods.get(pod).stop({ gracePeriodSeconds: 1 });
      expect(stopCalls(runtime)).toEqual({
        names: ["StopContainer", "StopContainer", "StopContainer", "StopPodSandbox"],
        stops: [1, 1, 1],
      });
      expect(runtime.containers.map(({ state }) => state)).toEqual(Array(3).fill(ContainerState.CONTAINER_EXITED));
    },
    timeoutMs,
  );

  test(
    "removes a running pod and a running container without a grace period",
    async () => {
      const { runtime, cri, pod } = await unresponsivePod(flavor);
      const [container] = await cri.containers.list({ name: "a" });
      await cri.containers.remove(container!.id);
      expect(stopCalls(runtime)).toEqual({ names: ["StopContainer", "RemoveContainer"], stops: [0] });
      await cri.pods.remove(pod.id);
      expect(isEmpty(runtime)).toBe(true);
      expect(stopCalls(runtime).stops).toEqual([0, 0, 0]);
    },
    timeoutMs,
  );

  test(
    "disposes of a running pod within its grace period",
    async () => {
      const { runtime, pod } = await unresponsivePod(flavor, 1);
      await pod.dispose();
      expect(isEmpty(runtime)).toBe(true);
      expect(stopCalls(runtime)).toEqual({
        names: ["StopContainer", "StopContainer", "StopContainer", "StopPodSandbox", "RemovePodSandbox"],
        stops: [1, 1, 1],
      });
    },
    timeoutMs,
  );

  test(
    "also stops a container that starts after the first stop",
    async () => {
      const { runtime, cri, pod } = await unresponsivePod(flavor);
      let isLate = false;
      const racing = clientWithHook(runtime, "StopPodSandbox", async () => {
        if (isLate) return;
        isLate = true;
        await cri.runContainerInSandbox(pod, { name: "late", image: "busybox:1" });
      });
      await racing.pods.remove(pod.id);
      expect(isLate).toBe(true);
      expect(isEmpty(runtime)).toBe(true);
    },
    timeoutMs,
  );

  test(
    "rolls back an aborted run whose container is already running",
    async () => {
      const { runtime, pod } = await unresponsivePod(flavor);
      const abort = new AbortController();
      runtime.hangNext("StartContainer", { phase: "afterEffect" });
      const run = rejection(pod.runContainer({ name: "d", image: "busybox:1" }, { signal: abort.signal }));
      const isRunning = () =>
        runtime.containers.some(({ metadata, state }) => metadata?.name === "d" && state === running);
      await expect.poll(isRunning).toBe(true);
      abort.abort(new Error("enough"));
      expect(await run).toEqual(new Error("enough"));
      expect(runtime.containers.map(({ metadata }) => metadata?.name)).toEqual(["a", "b", "c"]);
    },
    timeoutMs,
  );

  test(
    "rolls back an aborted pod with a running container",
    async () => {
      const { runtime, cri, pod } = await unresponsivePod(flavor);
      const abort = new AbortController();
      runtime.hangNext("RunPodSandbox", { phase: "afterEffect" });
      const run = rejection(cri.pods.run({ name: "q" }, { signal: abort.signal }));
      await expect.poll(() => runtime.pods.length).toBe(2);
      const [made] = await cri.pods.list({ name: "q" });
      const options = { podConfig: pod.config };
      await cri.runContainerInSandbox(made!.id, { name: "guest", image: "busybox:1" }, options);
      abort.abort(new Error("enough"));
      expect(await run).toEqual(new Error("enough"));
      expect(runtime.pods.map(({ metadata }) => metadata?.name)).toEqual(["p"]);
    },
    timeoutMs,
  );
});

describe("the grace period", () => {
  const stopsOf = async (run: (cri: CriClient, pod: OwnedPodSandbox) => Promise<void>, ofPod?: number) => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p", terminationGracePeriodSeconds: ofPod });
    await pod.runContainer({ name: "a", image: "busybox:1", terminationGracePeriodSeconds: 7 });
    await pod.runContainer({ name: "b", image: "busybox:1" });
    await run(cri, pod);
    return stopCalls(runtime).stops;
  };

  test("of a pod's stop is set by the container, or else by the pod, or else 0, also with a borrowed handle", async () => {
    expect(await stopsOf((_, pod) => pod.stop(), 5)).toEqual([7, 5]);
    expect(await stopsOf((cri, pod) => cri.pods.get(pod.id).stop(), 5)).toEqual([7, 5]);
    expect(await stopsOf((cri, pod) => cri.pods.get(pod.id).stop())).toEqual([7, 0]);
  });

  test("of a removal is 0", async () => {
    expect(await stopsOf((_, pod) => pod.remove(), 5)).toEqual([0, 0]);
  });

  test("of a container's stop is set by the container, or else 30, also with a borrowed handle", async () => {
    const stopAll = async (cri: CriClient) => {
      for (const { id } of await cri.containers.list()) await cri.containers.get(id).stop();
    };
    expect((await stopsOf(stopAll)).sort()).toEqual([30, 7]);
    expect(await stopsOf((cri) => cri.containers.get("missing").stop())).toEqual([30]);
  });

  test("of a container is not limited by the time limit of its pod's disposal", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    await pod.runContainer({ name: "a", image: "busybox:1", terminationGracePeriodSeconds: 120 });
    await pod.dispose();
    expect(stopCalls(runtime).stops).toEqual([120]);
  });

  test.each(["spec", "config"])("of a container is kept when a borrowed handle restarts it with a %s", async (what) => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const spec = { name: "a", image: "busybox:1" };
    const { id, config } = await pod.runContainer({ ...spec, terminationGracePeriodSeconds: 7 });
    const withoutAnnotations = { ...config, annotations: {} };
    const given = what === "spec" ? { spec } : { config: withoutAnnotations };
    const next = await cri.containers.get(id).restart(given);
    expect(next.terminationGracePeriodSeconds).toBe(7);
  });

  test("of a call takes precedence, and is rounded up to whole seconds", async () => {
    expect(await stopsOf((_, pod) => pod.stop({ gracePeriodSeconds: 1.2 }), 5)).toEqual([2, 2]);
    expect(await stopsOf((_, pod) => pod.remove({ gracePeriodSeconds: 3 }), 5)).toEqual([3, 3]);
  });

  test("is shortened so that the call ends within its deadline", async () => {
    expect(await stopsOf((_, pod) => pod.stop({ gracePeriodSeconds: 60, timeoutMs: 10_900 }))).toEqual([8, 8]);
    expect(await stopsOf((_, pod) => pod.remove({ gracePeriodSeconds: 60, timeoutMs: 1_500 }))).toEqual([0, 0]);
  });

  test("of a container is kept when another process restarts it", async () => {
    const stops = await stopsOf(async (cri, pod) => {
      const [container] = await cri.containers.list({ name: "a" });
      await cri.containers.get(container!.id).restart({ gracePeriodSeconds: 1 });
      await cri.pods.get(pod.id).stop();
    });
    expect(stops.slice(-2)).toEqual([0, 7]);
  });

  test.each([-1, Number.NaN, 2 ** 31, "5", 5n])("of %s is rejected before any I/O", async (gracePeriodSeconds) => {
    const { runtime, cri } = await startFake();
    const options = { gracePeriodSeconds: gracePeriodSeconds as number };
    for (const refused of [
      cri.pods.get("p").stop(options),
      cri.pods.remove("p", options),
      cri.containers.get("c").stop(options),
      cri.containers.remove("c", options),
    ]) {
      expect(await rejection(refused)).toMatchObject({ code: "INVALID_INPUT", field: "gracePeriodSeconds" });
    }
    expect(runtime.calls).toEqual([]);
  });
});

describe("a container that cannot be stopped", () => {
  test("is killed by StopPodSandbox", async () => {
    const { runtime, pod } = await unresponsivePod("containerd-2");
    runtime.failNext("StopContainer", { code: "UNKNOWN", message: "the shim is gone" });
    await pod.stop({ gracePeriodSeconds: 0 });
    expect(runtime.containers.map(({ state }) => state)).toEqual(Array(3).fill(ContainerState.CONTAINER_EXITED));
  });

  test("adds its error to that of the pod if the pod cannot be stopped either", async () => {
    const { runtime, pod } = await unresponsivePod("containerd-2");
    runtime.failNext("StopContainer", { code: "UNKNOWN", message: "the shim is gone" });
    runtime.failNext("StopPodSandbox", { code: "UNKNOWN", message: "no network namespace" });
    expect(await rejection(pod.stop({ gracePeriodSeconds: 0 }))).toMatchObject({
      details: "no network namespace",
      suppressed: [{ details: "the shim is gone" }],
    });
  });
});

test("stops a sandbox on CRI-O by a second call if the first one hangs", async () => {
  const { runtime, cri } = await startFake({ flavor: "cri-o" });
  const pod = await cri.pods.run({ name: "p" });
  runtime.hangNext("StopPodSandbox");
  await pod.stop({ timeoutMs: 2_000 });
  expect(stopCalls(runtime).names).toEqual(["StopPodSandbox", "StopPodSandbox"]);
});

test("an error after the first stop sets mayHaveTakenEffect", async () => {
  const { runtime, cri, pod } = await unresponsivePod("containerd-2");
  // Without earlier calls that took effect, this code means that nothing changed.
  const refusal = { code: "FAILED_PRECONDITION", message: "not now" } as const;
  const [container] = await cri.containers.list({ name: "a" });
  runtime.failNext("RemoveContainer", refusal);
  runtime.failNext("StopPodSandbox", refusal);
  runtime.failNext("RemovePodSandbox", refusal);
  for (const failing of [cri.containers.remove(container!.id), cri.pods.get(pod.id).stop(), cri.pods.remove(pod.id)]) {
    expect(await rejection(failing)).toMatchObject({ code: "FAILED_PRECONDITION", mayHaveTakenEffect: true });
  }
  runtime.failNext("ListContainers", refusal);
  expect(await rejection(cri.pods.get(pod.id).stop())).toMatchObject({ mayHaveTakenEffect: false });
});

test("an aborted stop sends no further calls", async () => {
  const { runtime, pod } = await unresponsivePod("containerd-2");
  const abort = new AbortController();
  const stop = rejection(pod.stop({ gracePeriodSeconds: 30, signal: abort.signal }));
  await expect.poll(() => runtime.callsOf("StopContainer").length).toBe(3);
  abort.abort(new Error("enough"));
  expect(await stop).toEqual(new Error("enough"));
  expect(stopCalls(runtime).names).not.toContain("StopPodSandbox");
});
