import { describe, expect, test } from "vitest";
import type { CriClient, OwnedContainer, PrunedContainers, PrunedPods } from "../../src/index.js";
import type { Container, PodSandbox } from "../../src/proto.js";
import type { FakeFlavor } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const hour = 3_600_000;
const now = { minAgeMs: 0 };

/** Runs a container and stops it. */
async function exited(
  cri: CriClient,
  pod: { id: string },
  name: string,
  attempt: number,
  labels: Record<string, string> = {},
): Promise<OwnedContainer> {
  const container = await cri.containers.run(pod.id, { name, attempt, labels, image: "busybox:1" });
  await container.stop({ gracePeriodSeconds: 0 });
  return container;
}

const nameOf = ({ metadata }: Container | PodSandbox) => `${metadata!.name}/${metadata!.attempt}`;
const namesOf = (objects: readonly (Container | PodSandbox)[]) => objects.map(nameOf).sort();
const containerReasons = ({ kept }: PrunedContainers) =>
  Object.fromEntries(kept.map(({ container, reason }) => [nameOf(container), reason]));
const podReasons = ({ kept }: PrunedPods) => Object.fromEntries(kept.map(({ pod, reason }) => [nameOf(pod), reason]));

const flavors: readonly FakeFlavor[] = ["containerd-1.6", "containerd-2", "cri-o", "cri-dockerd"];
const kubeletLabels = { "io.kubernetes.pod.uid": "u-1" };

/** Creates a pod as a kubelet does: without the annotations of this package. */
async function kubeletPod(cri: CriClient, name: string): Promise<string> {
  const metadata = { name, namespace: "default", uid: "u-1", attempt: 0 };
  const config = { metadata, labels: kubeletLabels };
  return (await cri.raw.runtime.runPodSandbox({ config })).podSandboxId;
}

async function exitedKubeletContainer(cri: CriClient, podSandboxId: string): Promise<string> {
  const config = { metadata: { name: "c", attempt: 0 }, image: { image: "busybox:1" }, labels: kubeletLabels };
  const sandboxConfig = { metadata: { name: "k", namespace: "default", uid: "u-1", attempt: 0 } };
  const { containerId } = await cri.raw.runtime.createContainer({ podSandboxId, config, sandboxConfig });
  await cri.raw.runtime.startContainer({ containerId });
  await cri.raw.runtime.stopContainer({ containerId });
  return containerId;
}

describe("containers.prune", () => {
  test.each(flavors)("keeps the newest exited container of each name in a ready pod of %s", async (flavor) => {
    const { cri } = await startFake({ flavor });
    const pod = await cri.pods.run({ name: "p" });
    for (const attempt of [0, 1, 2]) await exited(cri, pod, "crashing", attempt);
    for (const attempt of [0, 1]) await exited(cri, pod, "running", attempt);
    await cri.containers.run(pod, { name: "running", attempt: 2, image: "busybox:1" });
    await exited(cri, pod, "job", 0);
    await cri.containers.create(pod, { name: "later", image: "busybox:1" });

    const planned = await cri.containers.prune({ ...now, dryRun: true });
    const pruned = await cri.containers.prune(now);
    expect(pruned).toEqual(planned);
    expect(namesOf(pruned.removed)).toEqual(["crashing/0", "crashing/1", "running/0"]);
    expect(containerReasons(pruned)).toEqual({
      "crashing/2": "latest",
      "running/1": "maxPerContainer",
      "running/2": "running",
      "job/0": "latest",
      "later/0": "created",
    });
    expect(namesOf(await cri.containers.list())).toEqual(Object.keys(containerReasons(pruned)).sort());
  });

  test("never removes the latest attempt in a ready pod, not even with the limits 0", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    for (const attempt of [0, 1]) await exited(cri, pod, "a", attempt);
    await exited(cri, pod, "b", 0);
    await cri.containers.run(pod, { name: "b", attempt: 1, image: "busybox:1" });
    const pruned = await cri.containers.prune({ ...now, maxPerContainer: 0, maxContainers: 0 });
    expect(namesOf(pruned.removed)).toEqual(["a/0", "b/0"]);
    expect(containerReasons(pruned)).toEqual({ "a/1": "latest", "b/1": "running" });
  });

  test("removes all containers of a stopped pod", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    await exited(cri, pod, "a", 0);
    await cri.containers.create(pod, { name: "b", image: "busybox:1" });
    await pod.stop();
    expect(namesOf((await cri.containers.prune(now)).removed)).toEqual(["a/0", "b/0"]);
  });

  test("isGone decides which pods are gone", async () => {
    const { cri } = await startFake();
    for (const name of ["kept", "deleted"]) {
      const pod = await cri.pods.run({ name, uid: `uid-of-${name}` });
      await exited(cri, pod, name, 0);
      await pod.stop();
    }
    const seen: unknown[] = [];
    const pruned = await cri.containers.prune({
      ...now,
      isGone: (pod) => {
        seen.push(pod);
        return pod.uid === "uid-of-deleted";
      },
    });
    expect(seen).toMatchObject(
      ["kept", "deleted"].map((name) => ({ name, namespace: "default", uid: `uid-of-${name}`, sandboxes: [{}] })),
    );
    expect(namesOf(pruned.removed)).toEqual(["deleted/0"]);
    expect(containerReasons(pruned)).toEqual({ "kept/0": "latest" });
    const error = await rejection(cri.containers.prune({ ...now, isGone: (async () => false) as never }));
    expect(error).toMatchObject({ code: "INVALID_INPUT", field: "isGone" });
    expect(await cri.containers.list()).toHaveLength(1);
  });

  test("maxContainers leaves an equal share to each name, then removes the oldest", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    for (const name of ["a", "b", "c"]) {
      for (const attempt of [0, 1, 2, 3]) await exited(cri, pod, name, attempt);
      await cri.containers.run(pod, { name, attempt: 4, image: "busybox:1" });
    }
    const prune = (maxContainers: number) =>
      cri.containers.prune({ ...now, dryRun: true, maxPerContainer: 3, maxContainers });
    const oldest = ["a/0", "b/0", "c/0"];
    expect(namesOf((await prune(9)).removed)).toEqual(oldest);
    expect(namesOf((await prune(7)).removed)).toEqual([...oldest, "a/1", "b/1", "c/1"].sort());
    const allButNewest = ["a", "b", "c"].flatMap((name) => [0, 1, 2].map((attempt) => `${name}/${attempt}`));
    expect(namesOf((await prune(5)).removed)).toEqual(allButNewest);
    expect(namesOf((await prune(2)).removed)).toEqual([...allButNewest, "a/3"].sort());
  });

  test("removes the oldest containers first, and continues after one that the runtime refuses to remove", async () => {
    const { runtime, cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const containers: string[] = [];
    for (const attempt of [0, 1, 2, 3]) containers.push((await exited(cri, pod, "a", attempt)).id);
    runtime.clearCalls();
    runtime.failNext("RemoveContainer", { code: "UNKNOWN", message: "device or resource is broken" });
    const { removed, failed } = await cri.containers.prune(now);
    const sent = runtime.callsOf("RemoveContainer").map(({ request }) => request.containerId);
    expect(sent).toEqual(containers.slice(0, 3));
    expect(namesOf(removed)).toEqual(["a/1", "a/2"]);
    expect(failed).toMatchObject([{ container: { id: containers[0] }, error: { code: "UNKNOWN" } }]);
    runtime.failNext("RemoveContainer", { code: "UNAVAILABLE", times: 9 });
    expect(await rejection(cri.containers.prune({ ...now, retry: false }))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("keeps containers that were created lately, by default for two minutes", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    for (const attempt of [0, 1]) await exited(cri, pod, "a", attempt);
    const { removed, kept } = await cri.containers.prune();
    expect(removed).toEqual([]);
    expect(kept.map(({ reason }) => reason)).toEqual(["minAgeMs", "minAgeMs"]);
    expect((await cri.containers.prune({ minAgeMs: hour })).removed).toEqual([]);
  });

  test("removes only containers of the selected pods", async () => {
    const { cri } = await startFake();
    const specs = [
      { name: "a", namespace: "one", labels: { app: "x" } },
      { name: "b", namespace: "one", labels: { app: "y" } },
      { name: "c", namespace: "two", labels: { app: "x" } },
    ];
    const pods = await Promise.all(specs.map((spec) => cri.pods.run(spec)));
    for (const [index, pod] of pods.entries()) {
      await exited(cri, pod, specs[index]!.name, 0);
      await pod.stop();
    }
    const planned = async (selection: object) =>
      namesOf((await cri.containers.prune({ ...now, ...selection, dryRun: true })).removed);
    expect(await planned({ namespace: "one" })).toEqual(["a/0", "b/0"]);
    expect(await planned({ labels: { app: "x" } })).toEqual(["a/0", "c/0"]);
    expect(await planned({ namespace: "one", labels: { app: "x" } })).toEqual(["a/0"]);
    expect(await planned({ pod: pods[2] })).toEqual(["c/0"]);
    expect(await planned({})).toEqual(["a/0", "b/0", "c/0"]);
  });

  test("leaves the containers of a kubelet alone, unless includeKubelet is set", async () => {
    const { cri } = await startFake();
    const pod = await kubeletPod(cri, "k");
    await exitedKubeletContainer(cri, pod);
    await cri.raw.runtime.stopPodSandbox({ podSandboxId: pod });
    expect(containerReasons(await cri.containers.prune(now))).toEqual({ "c/0": "kubelet" });
    // Even then, its pods count as gone only if isGone says so.
    const included = { ...now, includeKubelet: true };
    expect(containerReasons(await cri.containers.prune(included))).toEqual({ "c/0": "latest" });
    expect(namesOf((await cri.containers.prune({ ...included, isGone: () => true })).removed)).toEqual(["c/0"]);
  });

  test("counts containers that this package created for a Kubernetes pod as its own", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p", labels: kubeletLabels });
    await exited(cri, pod, "c", 0, kubeletLabels);
    await pod.stop();
    expect(namesOf((await cri.containers.prune(now)).removed)).toEqual(["c/0"]);
    expect(namesOf((await cri.pods.prune(now)).removed)).toEqual(["p/0"]);
  });
});

describe("pods.prune", () => {
  test.each(flavors)("removes stopped pods without containers of %s", async (flavor) => {
    const { cri } = await startFake({ flavor });
    const [stopped, full] = [await cri.pods.run({ name: "stopped" }), await cri.pods.run({ name: "full" })];
    await cri.pods.run({ name: "ready" });
    await exited(cri, full, "c", 0);
    for (const pod of [stopped, full]) await pod.stop();

    const planned = await cri.pods.prune({ ...now, dryRun: true });
    const pruned = await cri.pods.prune(now);
    expect(pruned).toEqual(planned);
    expect(namesOf(pruned.removed)).toEqual(["stopped/0"]);
    expect(podReasons(pruned)).toEqual({ "full/0": "hasContainers", "ready/0": "ready" });
    await cri.containers.prune(now);
    expect(namesOf((await cri.pods.prune(now)).removed)).toEqual(["full/0"]);
    expect(namesOf(await cri.pods.list())).toEqual(["ready/0"]);
  });

  test("removes old sandboxes of a pod that is not gone, and keeps the newest", async () => {
    const { cri } = await startFake();
    for (const attempt of [0, 1, 2]) await (await cri.pods.run({ name: "p", uid: "u", attempt })).stop();
    const pruned = await cri.pods.prune({ ...now, isGone: () => false });
    expect(namesOf(pruned.removed)).toEqual(["p/0", "p/1"]);
    expect(podReasons(pruned)).toEqual({ "p/2": "latest" });
    expect(namesOf((await cri.pods.prune(now)).removed)).toEqual(["p/2"]);
  });

  test("keeps pods that were created lately, by default for two minutes", async () => {
    const { cri } = await startFake();
    await (await cri.pods.run({ name: "p" })).stop();
    expect(podReasons(await cri.pods.prune())).toEqual({ "p/0": "minAgeMs" });
  });

  test("removes only selected pods", async () => {
    const { cri } = await startFake();
    for (const namespace of ["one", "two"]) await (await cri.pods.run({ name: namespace, namespace })).stop();
    expect(namesOf((await cri.pods.prune({ ...now, namespace: "two" })).removed)).toEqual(["two/0"]);
    expect(namesOf(await cri.pods.list())).toEqual(["one/0"]);
  });

  test("leaves the pods of a kubelet alone, unless includeKubelet is set", async () => {
    const { cri } = await startFake();
    await cri.raw.runtime.stopPodSandbox({ podSandboxId: await kubeletPod(cri, "k") });
    expect(podReasons(await cri.pods.prune(now))).toEqual({ "k/0": "kubelet" });
    const included = { ...now, includeKubelet: true };
    expect(podReasons(await cri.pods.prune(included))).toEqual({ "k/0": "latest" });
    expect(namesOf((await cri.pods.prune({ ...included, isGone: () => true })).removed)).toEqual(["k/0"]);
  });

  test("continues after a pod that the runtime refuses to remove", async () => {
    const { runtime, cri } = await startFake();
    for (const name of ["a", "b"]) await (await cri.pods.run({ name })).stop();
    runtime.failNext("RemovePodSandbox", { code: "UNKNOWN", message: "network is broken" });
    const { removed, failed } = await cri.pods.prune(now);
    expect(removed).toHaveLength(1);
    expect(failed).toMatchObject([{ error: { code: "UNKNOWN" } }]);
  });
});

test.each([
  [{ minAgeMs: -1 }, "minAgeMs"],
  [{ isGone: true }, "isGone"],
  [{ includeKubelet: "yes" }, "includeKubelet"],
  [{ labels: { app: 1 } }, "labels.app"],
  [{ namespace: "" }, "namespace"],
  [{ maxPerContainer: -1 }, "maxPerContainer"],
  [{ maxContainers: 1.5 }, "maxContainers"],
])("refuses %o before any I/O", async (options, field) => {
  const { runtime, cri } = await startFake();
  expect(await rejection(cri.containers.prune(options as never))).toMatchObject({ code: "INVALID_INPUT", field });
  if (!field.startsWith("max")) {
    expect(await rejection(cri.pods.prune(options as never))).toMatchObject({ code: "INVALID_INPUT", field });
  }
  expect(runtime.calls).toEqual([]);
});
