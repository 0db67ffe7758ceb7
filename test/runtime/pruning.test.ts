/** Garbage collection: exited containers, stopped pods, their logs, and images; pulling many images. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ImagePullsError, ImageUsage, type OwnedContainer, type OwnedPodSandbox } from "k8s-cri-client";
import { describe, expect, test } from "vitest";
import { failureOf } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { idle, journeys, sh } from "./helpers/journeys.js";
import type { LabImages } from "./lab/lab.js";

journeys("pruning", (fixture) => {
  const { cri, runtime, traits } = fixture;
  const selection = { namespace: fixture.namespace, minAgeMs: 0 };
  const idsOf = (objects: readonly { id: string }[]) => objects.map(({ id }) => id).sort();

  async function exited(pod: OwnedPodSandbox, name: string, attempt: number): Promise<OwnedContainer> {
    const spec = fixture.containerSpec({ name, attempt, command: sh("echo done") });
    const container = await pod.runContainer(spec);
    await container.wait({ timeoutMs: 60_000 });
    return container;
  }

  test("removes exited containers but the latest of each name, and all of a stopped pod", async () => {
    await using live = await fixture.hostNetworkPod();
    await using stopped = await fixture.hostNetworkPod();
    const attempts: OwnedContainer[] = [];
    for (const attempt of [0, 1, 2]) attempts.push(await exited(live, "job", attempt));
    const running = await live.runContainer(fixture.containerSpec({ name: "server", command: idle }));
    const ofStopped = await exited(stopped, "job", 0);
    await stopped.stop();

    expect((await cri.containers.prune({ ...selection, minAgeMs: 3_600_000 })).removed).toEqual([]);
    const planned = await cri.containers.prune({ ...selection, dryRun: true });
    const { removed, failed, kept } = await cri.containers.prune(selection);
    expect(failed).toEqual([]);
    expect(idsOf(removed)).toEqual(idsOf([attempts[0]!, attempts[1]!, ofStopped]));
    expect(idsOf(planned.removed)).toEqual(idsOf(removed));
    expect(Object.fromEntries(kept.map(({ container, reason }) => [container.id, reason]))).toEqual({
      [attempts[2]!.id]: "latest",
      [running.id]: "running",
    });
    expect(idsOf(await live.containers())).toEqual(idsOf([attempts[2]!, running]));
    expect(await stopped.containers()).toEqual([]);
  });

  test("removes stopped pods without containers, and old sandboxes of pods that are not gone", async () => {
    await using ready = await fixture.hostNetworkPod();
    await using full = await fixture.hostNetworkPod();
    await exited(full, "job", 0);
    await full.stop();
    const spec = fixture.podSpec({ hostNetwork: true, uid: `uid-of-${fixture.name()}` });
    const restarted: OwnedPodSandbox[] = [];
    for (const attempt of [0, 1]) {
      restarted.push(await cri.pods.run({ ...spec, attempt }));
      await restarted[attempt]!.stop();
    }

    const first = await cri.pods.prune({ ...selection, isGone: ({ uid }) => uid !== spec.uid });
    expect(first.failed).toEqual([]);
    const reasons = Object.fromEntries(first.kept.map(({ pod, reason }) => [pod.id, reason]));
    expect(reasons).toMatchObject({
      [ready.id]: "ready",
      [full.id]: "hasContainers",
      [restarted[1]!.id]: "latest",
    });
    if (!traits.replacesStoppedPod) expect(idsOf(first.removed)).toEqual([restarted[0]!.id]);

    await cri.containers.prune(selection);
    expect(idsOf((await cri.pods.prune(selection)).removed)).toEqual(idsOf([full, restarted[1]!]));
    const left = (await cri.pods.list({ namespace: fixture.namespace })).filter(({ id }) => id !== ready.id);
    expect(idsOf(left).filter((id) => [full, ...restarted].some((pod) => pod.id === id))).toEqual([]);
  });

  test("removes the logs of removed containers and pods", async () => {
    await using shared = await folder();
    const root = shared.path;
    await using kept = await fixture.hostNetworkPod({ logDirectory: { root } });
    const gone = (await fixture.hostNetworkPod({ logDirectory: { root } })).release();
    for (const attempt of [0, 1]) await exited(kept, "job", attempt);
    await cri.containers.run(gone, fixture.containerSpec({ name: "job", command: sh("echo done") }));
    const [directory] = (await readdir(root)).filter((name) => name.includes(kept.config.metadata!.name));
    const log = (attempt: number) => join(root, directory!, `job.${attempt}.log`);
    expect([0, 1].map((attempt) => existsSync(log(attempt)))).toEqual([true, true]);
    expect(await cri.pods.pruneLogs(root, { minAgeMs: 0 })).toEqual({
      directories: [],
      files: [],
      links: [],
      failed: [],
    });

    await gone.remove();
    await cri.containers.prune(selection);
    const pruned = await cri.pods.pruneLogs(root, { minAgeMs: 0 });
    expect(pruned.failed).toEqual([]);
    expect(pruned.directories).toHaveLength(1);
    if (traits.logOutlivesContainer) expect(pruned.files).toEqual([log(0)]);
    expect(await readdir(root)).toEqual([directory]);
    expect([0, 1].map((attempt) => existsSync(log(attempt)))).toEqual([false, true]);
  });

  describe.skipIf(!runtime.lab)("images", () => {
    const images = runtime.lab?.images as LabImages;
    const isDemo = ({ repoTags }: { repoTags: string[] }) => repoTags.includes(images.demo);
    const onlyDemo = { filter: isDemo, minAgeMs: 0 };
    const reasonOf = (pruned: Awaited<ReturnType<typeof cri.images.prune>>) =>
      pruned.kept.find(({ image }) => isDemo(image))?.reason;

    test("pulls many images, and reports the result of each", async () => {
      await cri.images.remove(images.demo);
      const missing = images.busybox.replace("busybox:1", "no/such:1");
      const states: string[] = [];
      const failure = await failureOf(
        cri.images.pullAll([images.busybox, images.demo, missing, images.demo], {
          onProgress: ({ reference, state }) => states.push(`${reference} ${state}`),
        }),
      );
      expect(failure).toBeInstanceOf(ImagePullsError);
      const { results } = failure as ImagePullsError;
      expect(results.map(({ state }) => state)).toEqual(["present", "pulled", "failed", "pulled"]);
      expect(results[2]).toMatchObject({ error: { name: "ImagePullError", reason: "NotFound", image: missing } });
      expect(states).toHaveLength(3 + 1 + 2 + 2);
      const present = await cri.images.pullAll([images.demo, images.busybox]);
      expect(present.map(({ image }) => image.repoTags[0])).toEqual([images.demo, images.busybox]);
    });

    test("reports the disk usage of images and containers", async () => {
      const demo = await cri.images.ensure(images.demo);
      const container = await fixture.sharedContainer();
      const usage = await cri.stats.diskUsage();
      expect(usage.imageFilesystems[0]?.mountpoint).toMatch(/^\//);
      const ofImage = (reference: string) => usage.images.find(({ image }) => image.repoTags.includes(reference))!;
      expect(ofImage(images.demo)).toMatchObject({
        sizeBytes: demo.size.toNumber(),
        containers: [],
        isDangling: false,
        isReclaimable: true,
      });
      expect(ofImage(fixture.image)).toMatchObject({ isReclaimable: false });
      expect(ofImage(fixture.image).containers).toContain(container.id);
      expect(usage.reclaimableBytes).toBeGreaterThanOrEqual(demo.size.toNumber());
      const pod = await fixture.sharedPod();
      expect(usage.containers.find(({ id }) => id === container.id)).toMatchObject({
        state: "running",
        pod: { id: pod.id, namespace: fixture.namespace },
      });
    });

    test("keeps images that are used, were pulled lately, are kept by name, or need not be removed", async () => {
      await cri.images.pull(images.demo);
      expect(reasonOf(await cri.images.prune({ filter: isDemo, dryRun: true }))).toBe("minAgeMs");
      expect(reasonOf(await cri.images.prune({ ...onlyDemo, keep: ["*/demo*"] }))).toBe("keep");
      const usage = new ImageUsage();
      await cri.images.recordUsage(usage);
      expect(reasonOf(await cri.images.prune({ ...onlyDemo, usage, unusedForMs: 3_600_000 }))).toBe("unusedForMs");
      expect(reasonOf(await cri.images.prune({ ...onlyDemo, belowBytes: 1e15 }))).toBe("belowBytes");

      await using container = await (await fixture.sharedPod()).createContainer(
        fixture.containerSpec({ image: images.demo }),
      );
      expect(reasonOf(await cri.images.prune(onlyDemo))).toBe("used");
      await container.remove();
      const pruned = await cri.images.prune({ ...onlyDemo, belowBytes: 0 });
      const { removed, failed, removedBytes } = pruned;
      expect(reasonOf(pruned)).toBeUndefined();
      expect(failed).toEqual([]);
      expect(removed.map(({ repoTags }) => repoTags[0])).toEqual([images.demo]);
      expect(removedBytes).toBe(removed[0]!.size.toNumber());
      expect(await cri.images.exists(images.demo)).toBe(false);
    });
  });
});
