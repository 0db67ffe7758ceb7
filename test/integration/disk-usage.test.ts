import { expect, test } from "vitest";
import type { FakeFlavor } from "../../src/testing/index.js";
import { startFake } from "./support.js";

const images = [
  { reference: "big:1", size: 500_000 },
  { reference: "app:1", size: 100_000 },
  { reference: "app:2", size: 200_000 },
  { reference: "pinned:1", size: 50_000, pinned: true },
  { reference: `dangling@sha256:${"0".repeat(64)}`, size: 30_000 },
];

test.each<FakeFlavor>(["containerd-1.6", "containerd-2", "cri-o", "cri-dockerd"])(
  "reports the disk usage of images and containers of %s",
  async (flavor) => {
    const { cri } = await startFake({ flavor, images });
    const pod = await cri.pods.run({ name: "web" });
    const running = await cri.containers.run(pod, { name: "c", image: "app:2" });
    const exited = await cri.containers.run(pod, { name: "d", image: "app:2" });
    await exited.stop({ gracePeriodSeconds: 0 });

    const usage = await cri.stats.diskUsage();
    const short = (tags: readonly string[]) => tags[0]?.replace("docker.io/library/", "");
    const isPause = ({ image }: { image: { repoTags: string[] } }) => /pause/.test(image.repoTags[0] ?? "");
    const withoutPause = usage.images.filter((entry) => !isPause(entry));
    expect(withoutPause.map(({ image, sizeBytes }) => [short(image.repoTags), sizeBytes])).toEqual([
      ["big:1", 500_000],
      ["app:2", 200_000],
      ["app:1", 100_000],
      ["pinned:1", 50_000],
      [undefined, 30_000],
    ]);
    expect(withoutPause.map(({ isDangling }) => isDangling)).toEqual([false, false, false, false, true]);
    expect(withoutPause.map(({ isReclaimable }) => isReclaimable)).toEqual([true, false, true, false, true]);
    expect(usage.images.find(isPause)).toMatchObject({ isReclaimable: false, containers: [] });
    expect([...withoutPause[1]!.containers].sort()).toEqual([running.id, exited.id].sort());
    expect(usage.reclaimableBytes).toBe(630_000);
    expect((await cri.images.prune({ dryRun: true })).removedBytes).toBe(630_000);

    expect(usage.repositories).toMatchObject([{ repository: "docker.io/library/app", sizeBytes: 300_000 }]);
    expect(usage.repositories[0]!.images.map(({ repoTags }) => short(repoTags))).toEqual(["app:2", "app:1"]);

    const [filesystem] = usage.imageFilesystems;
    const { imageFilesystems } = await cri.images.fsInfo();
    expect(filesystem).toEqual({
      mountpoint: imageFilesystems[0]!.fsId!.mountpoint,
      usedBytes: imageFilesystems[0]!.usedBytes!.value.toNumber(),
      inodesUsed: imageFilesystems[0]!.inodesUsed!.value.toNumber(),
      measuredAt: expect.any(Date),
    });
    expect(usage.containerFilesystems).toHaveLength(flavor === "cri-o" ? 1 : 0);

    const byId = Object.fromEntries(usage.containers.map((container) => [container.id, container]));
    expect(byId[running.id]).toMatchObject({
      name: "c",
      attempt: 0,
      state: "running",
      pod: { name: "web", id: pod.id },
    });
    expect(byId[exited.id]).toMatchObject({ name: "d", state: "exited" });
    expect(byId[running.id]!.writableLayer?.usedBytes).toBe(flavor === "cri-dockerd" ? undefined : 8_192);
  },
);

test("lists the containers with the largest writable layer first, and those without a measurement last", async () => {
  const { runtime, cri } = await startFake();
  const pod = await cri.pods.run({ name: "p" });
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.push((await cri.containers.run(pod, { name, image: "busybox:1" })).id);
  const used = (name: string) => ({ a: 100, c: 2_000 })[name];
  runtime.respondNext("ListContainerStats", {
    stats: ids.map((id, index) => {
      const bytes = used("abc"[index]!);
      return { attributes: { id }, writableLayer: bytes === undefined ? undefined : { usedBytes: { value: bytes } } };
    }),
  });
  const { containers } = await cri.stats.diskUsage();
  expect(containers.map(({ name, writableLayer }) => [name, writableLayer?.usedBytes])).toEqual([
    ["c", 2_000],
    ["a", 100],
    ["b", undefined],
  ]);
});
