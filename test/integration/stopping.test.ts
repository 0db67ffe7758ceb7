/** Stopping and removing what runs: the same on every runtime, and never as long as the deadline of a call. */
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

/** Far above any grace period in here, and far below the two minutes that a call may take. */
const inTime = 15_000;

/** A pod whose three containers ignore SIGTERM. */
async function stubbornPod(flavor: FakeFlavor, seconds?: number) {
  const { runtime, cri } = await startFake({ flavor, run: () => ({ onSignal: () => "ignore" }) });
  const pod = await cri.pods.run({ name: "p", terminationGracePeriodSeconds: seconds });
  for (const name of ["a", "b", "c"]) await pod.runContainer({ name, image: "busybox:1" });
  return { runtime, cri, pod };
}

/** The calls that change something, in the order of their arrival, and the grace periods of StopContainer. */
function changes(runtime: FakeRuntime) {
  const stops = runtime.callsOf("StopContainer").map(({ request }) => request.timeout.toNumber());
  const names = runtime.calls.map(({ rpc }) => rpc).filter((rpc) => /^(Stop|Remove)/.test(rpc));
  return { names, stops };
}

const running = ContainerState.CONTAINER_RUNNING;

/** A client that does something before it sends a call of one RPC. */
function clientThat({ endpoint }: FakeRuntime, rpc: string, before: () => Promise<void>): CriClient {
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
    "stops containers that ignore SIGTERM at the same time, and then the pod",
    async () => {
      const { runtime, cri, pod } = await stubbornPod(flavor);
      await cri.pods.get(pod).stop({ gracePeriodSeconds: 1 });
      expect(changes(runtime)).toEqual({
        names: ["StopContainer", "StopContainer", "StopContainer", "StopPodSandbox"],
        stops: [1, 1, 1],
      });
      expect(runtime.containers.map(({ state }) => state)).toEqual(Array(3).fill(ContainerState.CONTAINER_EXITED));
    },
    inTime,
  );

  test(
    "removes a running pod and a running container at once",
    async () => {
      const { runtime, cri, pod } = await stubbornPod(flavor);
      const [container] = await cri.containers.list({ name: "a" });
      await cri.containers.remove(container!.id);
      expect(changes(runtime)).toEqual({ names: ["StopContainer", "RemoveContainer"], stops: [0] });
      await cri.pods.remove(pod.id);
      expect(isEmpty(runtime)).toBe(true);
      expect(changes(runtime).stops).toEqual([0, 0, 0]);
    },
    inTime,
  );

  test(
    "disposes of a running pod within its grace period",
    async () => {
      const { runtime, pod } = await stubbornPod(flavor, 1);
      await pod[Symbol.asyncDispose]();
      expect(isEmpty(runtime)).toBe(true);
      expect(changes(runtime)).toEqual({
        names: ["StopContainer", "StopContainer", "StopContainer", "StopPodSandbox", "RemovePodSandbox"],
        stops: [1, 1, 1],
      });
    },
    inTime,
  );

  test(
    "stops a container that was started after the first stop as well",
    async () => {
      const { runtime, cri, pod } = await stubbornPod(flavor);
      let isLate = false;
      const hasty = clientThat(runtime, "StopPodSandbox", async () => {
        if (isLate) return;
        isLate = true;
        await cri.runContainerInSandbox(pod, { name: "late", image: "busybox:1" });
      });
      await hasty.pods.remove(pod.id);
      expect(isLate).toBe(true);
      expect(isEmpty(runtime)).toBe(true);
    },
    inTime,
  );

  test(
    "rolls back an aborted run whose container is running already",
    async () => {
      const { runtime, pod } = await stubbornPod(flavor);
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
    inTime,
  );

  test(
    "rolls back an aborted pod in which something runs already",
    async () => {
      const { runtime, cri, pod } = await stubbornPod(flavor);
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
    inTime,
  );
});

describe("the grace period", () => {
  const stopsOf = async (run: (cri: CriClient, pod: OwnedPodSandbox) => Promise<void>, ofPod?: number) => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p", terminationGracePeriodSeconds: ofPod });
    await pod.runContainer({ name: "a", image: "busybox:1", terminationGracePeriodSeconds: 7 });
    await pod.runContainer({ name: "b", image: "busybox:1" });
    await run(cri, pod);
    return changes(runtime).stops;
  };

  test("of a stop is the container's, else the pod's, else 0; also for a handle that only borrows", async () => {
    expect(await stopsOf((_, pod) => pod.stop(), 5)).toEqual([7, 5]);
    expect(await stopsOf((cri, pod) => cri.pods.get(pod.id).stop(), 5)).toEqual([7, 5]);
    expect(await stopsOf((cri, pod) => cri.pods.get(pod.id).stop())).toEqual([7, 0]);
  });

  test("of a removal is 0", async () => {
    expect(await stopsOf((_, pod) => pod.remove(), 5)).toEqual([0, 0]);
  });

  test("of a container's stop is its own for a handle that only borrows, too, else 30", async () => {
    const stopAll = async (cri: CriClient) => {
      for (const { id } of await cri.containers.list()) await cri.containers.get(id).stop();
    };
    expect((await stopsOf(stopAll)).sort()).toEqual([30, 7]);
    expect(await stopsOf((cri) => cri.containers.get("missing").stop())).toEqual([30]);
  });

  test("of a container is not cut by the time that the disposal of its pod has", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    await pod.runContainer({ name: "a", image: "busybox:1", terminationGracePeriodSeconds: 120 });
    await pod[Symbol.asyncDispose]();
    expect(changes(runtime).stops).toEqual([120]);
  });

  test.each(["spec", "config"])("of a container outlives a restart of a borrowed one with a %s", async (what) => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const spec = { name: "a", image: "busybox:1" };
    const { id, config } = await pod.runContainer({ ...spec, terminationGracePeriodSeconds: 7 });
    const unmarked = { ...config, annotations: {} };
    const given = what === "spec" ? { spec } : { config: unmarked };
    const next = await cri.containers.get(id).restart(given);
    expect(next.terminationGracePeriodSeconds).toBe(7);
  });

  test("of a call wins, and is rounded up to whole seconds", async () => {
    expect(await stopsOf((_, pod) => pod.stop({ gracePeriodSeconds: 1.2 }), 5)).toEqual([2, 2]);
    expect(await stopsOf((_, pod) => pod.remove({ gracePeriodSeconds: 3 }), 5)).toEqual([3, 3]);
  });

  test("is shortened so that the call ends within its time limit", async () => {
    expect(await stopsOf((_, pod) => pod.stop({ gracePeriodSeconds: 60, timeoutMs: 10_900 }))).toEqual([8, 8]);
    expect(await stopsOf((_, pod) => pod.remove({ gracePeriodSeconds: 60, timeoutMs: 1_500 }))).toEqual([0, 0]);
  });

  test("of a container outlives a restart by another process", async () => {
    const stops = await stopsOf(async (cri, pod) => {
      const [container] = await cri.containers.list({ name: "a" });
      await cri.containers.get(container!.id).restart({ gracePeriodSeconds: 1 });
      await cri.pods.get(pod.id).stop();
    });
    expect(stops.slice(-2)).toEqual([0, 7]);
  });

  test.each([-1, Number.NaN, 2 ** 31, "5", 5n])("of %s is refused before any I/O", async (gracePeriodSeconds) => {
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
  test("is left to StopPodSandbox, which ends it by force", async () => {
    const { runtime, pod } = await stubbornPod("containerd-2");
    runtime.failNext("StopContainer", { code: "UNKNOWN", message: "the shim is gone" });
    await pod.stop({ gracePeriodSeconds: 0 });
    expect(runtime.containers.map(({ state }) => state)).toEqual(Array(3).fill(ContainerState.CONTAINER_EXITED));
  });

  test("shows in the error if the pod cannot be stopped either", async () => {
    const { runtime, pod } = await stubbornPod("containerd-2");
    runtime.failNext("StopContainer", { code: "UNKNOWN", message: "the shim is gone" });
    runtime.failNext("StopPodSandbox", { code: "UNKNOWN", message: "no network namespace" });
    expect(await rejection(pod.stop({ gracePeriodSeconds: 0 }))).toMatchObject({
      details: "no network namespace",
      suppressed: [{ details: "the shim is gone" }],
    });
  });
});

test("a sandbox that CRI-O would wait for as long as the deadline is stopped by a second call", async () => {
  const { runtime, cri } = await startFake({ flavor: "cri-o" });
  const pod = await cri.pods.run({ name: "p" });
  runtime.hangNext("StopPodSandbox");
  await pod.stop({ timeoutMs: 2_000 });
  expect(changes(runtime).names).toEqual(["StopPodSandbox", "StopPodSandbox"]);
});

test("an error after the first stop says that the call may have taken effect", async () => {
  const { runtime, cri, pod } = await stubbornPod("containerd-2");
  const refusal = { code: "FAILED_PRECONDITION", message: "not now" } as const; // says of itself that nothing happened
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

test("a stop that is aborted sends nothing more", async () => {
  const { runtime, pod } = await stubbornPod("containerd-2");
  const abort = new AbortController();
  const stop = rejection(pod.stop({ gracePeriodSeconds: 30, signal: abort.signal }));
  await expect.poll(() => runtime.callsOf("StopContainer").length).toBe(3);
  abort.abort(new Error("enough"));
  expect(await stop).toEqual(new Error("enough"));
  expect(changes(runtime).names).not.toContain("StopPodSandbox");
});
