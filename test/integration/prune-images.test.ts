import { describe, expect, test } from "vitest";
import { CriClient, type ImageKeptReason, ImageUsage, type PrunedImages } from "../../src/index.js";
import type { Image } from "../../src/proto.js";
import { type FakeImage, FakeRuntime } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const shortTag = ({ repoTags }: Image) => (repoTags[0] ?? "").replace("docker.io/library/", "");
const tagsOf = (images: readonly Image[]) => images.map(shortTag).sort();

/** The tags of the kept images with their reasons. */
const reasonsOf = ({ kept }: PrunedImages): Record<string, ImageKeptReason> =>
  Object.fromEntries(kept.map(({ image, reason }) => [shortTag(image), reason]));

/** Starts a runtime that has images from the start, without the pods' image being listed in results. */
const startWith = (...images: (string | FakeImage)[]) => startFake({ images });

const sized = (reference: string, size: number): FakeImage => ({ reference, size });

describe("prune", () => {
  test("removes images that no running or exited container uses", async () => {
    const { cri } = await startWith("used:1", "exited:1", "unused:1", "unused:2");
    const pod = await cri.pods.run({ name: "p" });
    await pod.runContainer({ name: "running", image: "used:1" });
    const exited = await pod.runContainer({ name: "exited", image: "exited:1" });
    await exited.stop({ gracePeriodSeconds: 0 });
    const before = tagsOf(await cri.images.list());

    const planned = await cri.images.prune({ dryRun: true });
    expect(tagsOf(await cri.images.list())).toEqual(before);
    const pruned = await cri.images.prune();
    expect(tagsOf(pruned.removed)).toEqual(["unused:1", "unused:2"]);
    expect(pruned).toEqual(planned);
    expect(pruned.failed).toEqual([]);
    expect(pruned.removedBytes).toBe(pruned.removed.reduce((sum, { size }) => sum + size.toNumber(), 0));
    expect(reasonsOf(pruned)).toMatchObject({ "used:1": "used", "exited:1": "used" });
    expect(tagsOf(await cri.images.list())).toEqual(before.filter((tag) => !tag.startsWith("unused")));
  });

  test.each(["containerd-1.6", "containerd-2", "cri-o", "cri-dockerd"] as const)(
    "keeps used images by the names of %s, and the image of pod sandboxes",
    async (flavor) => {
      await using runtime = await FakeRuntime.start({ flavor, images: ["used:1", "unused:1"] });
      await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
      const pod = await cri.pods.run({ name: "p" });
      await pod.runContainer({ name: "c", image: "used:1" });
      expect(tagsOf((await cri.images.prune()).removed)).toEqual(["unused:1"]);
      expect(tagsOf(runtime.images)).toEqual([expect.stringMatching(/^registry\.k8s\.io\/pause:/), "used:1"]);
    },
  );

  test("says why it kept an image", async () => {
    const { runtime, cri } = await startFake({
      flavor: "containerd-1.6",
      images: ["used:1", "base:1", "ours:1", "ours:2", { reference: "pinned:1", pinned: true }],
    });
    await cri.runContainerInSandbox(await cri.pods.run({ name: "p" }), { name: "c", image: "used:1" });
    await cri.images.pull("fresh:1");
    const isOurs = ({ repoTags }: Image) => !repoTags.some((tag) => tag.endsWith("ours:2"));
    const pruned = await cri.images.prune({ keep: ["base"], filter: isOurs });
    expect(tagsOf(pruned.removed)).toEqual(["ours:1"]);
    const pause = shortTag(runtime.images.find(({ repoTags }) => repoTags[0]?.includes("/pause:"))!);
    expect(reasonsOf(pruned)).toEqual({
      "used:1": "used",
      "base:1": "keep",
      "ours:2": "filter",
      "pinned:1": "pinned",
      "fresh:1": "minAgeMs",
      [pause]: "podSandbox",
    });
  });

  test("continues after an image that the runtime refuses to remove, and stops if the runtime is down", async () => {
    const { runtime, cri } = await startWith("unused:1", "unused:2");
    runtime.failNext("RemoveImage", { code: "UNKNOWN", message: "image is in use by a container" });
    const { removed, failed, removedBytes } = await cri.images.prune();
    expect(failed).toMatchObject([{ error: { code: "UNKNOWN" } }]);
    expect(tagsOf([...removed, ...failed.map(({ image }) => image)])).toEqual(["unused:1", "unused:2"]);
    expect(removedBytes).toBe(removed[0]!.size.toNumber());

    runtime.failNext("RemoveImage", { code: "UNAVAILABLE", times: 9 });
    expect(await rejection(cri.images.prune({ retry: false }))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("removes nothing if filter or keep throws", async () => {
    const { runtime, cri } = await startWith("a:1", "b:1");
    const failure = new Error("no such list");
    const throwsLater = ({ repoTags }: Image) => {
      if (repoTags[0]?.endsWith("b:1")) throw failure;
      return true;
    };
    expect(await rejection(cri.images.prune({ filter: throwsLater }))).toBe(failure);
    expect(await rejection(cri.images.prune({ keep: (image) => !throwsLater(image) }))).toBe(failure);
    expect(runtime.callsOf("RemoveImage")).toEqual([]);
  });

  test.each(["filter", "keep"])("removes nothing if %s does not return a boolean", async (field) => {
    const { runtime, cri } = await startWith("a:1");
    const error = await rejection(cri.images.prune({ [field]: async () => false }));
    expect(error).toMatchObject({
      code: "INVALID_INPUT",
      field,
      details: expect.stringMatching(/must return true or false, got/),
    });
    expect(await rejection(cri.images.prune({ [field]: () => undefined as never }))).toMatchObject({ field });
    expect(runtime.callsOf("RemoveImage")).toEqual([]);
  });

  test.each([
    [{ filter: "x" as never }, "filter"],
    [{ keep: "base" as never }, "keep"],
    [{ keep: [""] }, "keep[0]"],
    [{ minAgeMs: -1 }, "minAgeMs"],
    [{ belowBytes: Number.NaN }, "belowBytes"],
    [{ belowBytes: 10n as never }, "belowBytes"],
    [{ dryRun: "no" as never }, "dryRun"],
    [{ unusedForMs: 1 }, "usage"],
    [{ usage: {} as never }, "usage"],
  ])("refuses %o before any I/O", async (options, field) => {
    const { runtime, cri } = await startWith("a:1");
    expect(await rejection(cri.images.prune(options))).toMatchObject({ code: "INVALID_INPUT", field });
    expect(runtime.calls).toEqual([]);
  });
});

describe("prune with keep", () => {
  test.each<[readonly string[], readonly string[]]>([
    [["busybox"], ["busybox:1", "busybox:2"]],
    [
      ["library/busybox:1", "docker.io/library/busybox:2"],
      ["busybox:1", "busybox:2"],
    ],
    [["registry.example:5000/*"], ["registry.example:5000/team/app:1"]],
    [["*/app:1"], ["registry.example:5000/team/app:1"]],
    [["busy"], []],
    [
      ["busy*:2", "*/team/*"],
      ["busybox:2", "registry.example:5000/team/app:1"],
    ],
    [["*"], ["busybox:1", "busybox:2", "registry.example:5000/team/app:1"]],
  ])("%o keeps %o", async (keep, kept) => {
    const all = ["busybox:1", "busybox:2", "registry.example:5000/team/app:1"];
    const { cri } = await startWith(...all);
    const pruned = await cri.images.prune({ keep });
    expect(tagsOf(pruned.removed)).toEqual(all.filter((tag) => !kept.includes(tag)));
  });

  test("keeps an image by its id or digest", async () => {
    const { cri } = await startWith("a:1", "b:1", "c:1");
    const [a, b] = await Promise.all(["a:1", "b:1"].map((image) => cri.images.get(image)));
    const { removed } = await cri.images.prune({ keep: [a!.id, b!.repoDigests[0]!] });
    expect(tagsOf(removed)).toEqual(["c:1"]);
  });
});

describe("prune with minAgeMs", () => {
  test("keeps images that this client or a derived one has pulled lately", async () => {
    const { runtime, cri } = await startWith("old:1");
    await cri.with({ timeoutMs: 60_000 }).images.pull("new:1");
    expect(reasonsOf(await cri.images.prune())).toMatchObject({ "new:1": "minAgeMs" });
    expect(tagsOf((await cri.images.prune({ minAgeMs: 0 })).removed)).toEqual(["new:1"]);

    await cri.images.pull("new:1");
    await using other = await runtime.connect();
    expect(tagsOf((await other.images.prune()).removed)).toEqual(["new:1"]);
  });

  test("keeps images that were on the node when this client was asked for them", async () => {
    const { cri } = await startWith("ensured:1", "listed:1", "created:1", "other:1");
    await cri.images.ensure("ensured:1");
    await cri.images.pullAll(["listed:1"]);
    const pod = await cri.pods.run({ name: "p" });
    await (await cri.containers.create(pod, { name: "c", image: "created:1" })).remove();
    const pruned = await cri.images.prune({ dryRun: true });
    expect(tagsOf(pruned.removed)).toEqual(["other:1"]);
    expect(tagsOf((await cri.images.prune({ minAgeMs: 0 })).removed)).toHaveLength(4);
  });

  test("keeps an image that is being pulled again", async () => {
    const { runtime, cri } = await startWith("a:1");
    runtime.delayNext("PullImage", 60_000);
    const abort = new AbortController();
    const pulling = rejection(cri.images.pull("a:1", { signal: abort.signal }));
    await runtime.nextCall("PullImage");
    expect(reasonsOf(await cri.images.prune({ minAgeMs: 0 }))).toMatchObject({ "a:1": "minAgeMs" });
    abort.abort();
    await pulling;
    expect(tagsOf((await cri.images.prune({ minAgeMs: 0 })).removed)).toEqual(["a:1"]);
  });

  test("keeps images that are requested while others are being removed", async () => {
    const { runtime, cri } = await startWith("a:1", "b:1");
    runtime.delayNext("RemoveImage", 1_000);
    const pruning = cri.images.prune({ minAgeMs: 0 });
    const { request } = await runtime.nextCall("RemoveImage");
    const isBeingRemoved = ({ id }: Image) => id === request.image?.image;
    const other = runtime.images.find((image) => /[ab]:1$/.test(image.repoTags[0] ?? "") && !isBeingRemoved(image))!;
    await cri.images.ensure(other.repoTags[0]!);
    const pruned = await pruning;
    expect(pruned.removed).toHaveLength(1);
    expect(reasonsOf(pruned)).toMatchObject({ [shortTag(other)]: "minAgeMs" });
  });

  test("keeps images that appeared after the first recording of their usage", async () => {
    const { runtime, cri } = await startWith("old:1");
    await using other = await runtime.connect();
    const usage = new ImageUsage({ since: "2026-01-01T00:00:00Z", images: {} });
    await cri.images.recordUsage(usage);
    expect(reasonsOf(await other.images.prune({ usage }))).toMatchObject({ "old:1": "minAgeMs" });
    expect(tagsOf((await other.images.prune({ usage: new ImageUsage() })).removed)).toEqual(["old:1"]);
  });
});

describe("prune with unusedForMs", () => {
  const hour = 3_600_000;
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

  test("removes only images that were unused for this long", async () => {
    const { cri } = await startWith("never:1", "lately:1", "longago:1", "used:1");
    const ids = Object.fromEntries((await cri.images.list()).map((image) => [shortTag(image), image.id]));
    const usage = new ImageUsage({
      since: ago(9 * hour),
      images: {
        [ids["never:1"]!]: { firstSeen: ago(3 * hour) },
        [ids["lately:1"]!]: { firstSeen: ago(9 * hour), lastUsed: ago(hour) },
        [ids["longago:1"]!]: { firstSeen: ago(9 * hour), lastUsed: ago(3 * hour) },
        [ids["used:1"]!]: { firstSeen: ago(9 * hour), lastUsed: ago(3 * hour) },
      },
    });
    await cri.runContainerInSandbox(await cri.pods.run({ name: "p" }), { name: "c", image: "used:1" });
    const pruned = await cri.images.prune({ usage, unusedForMs: 2 * hour });
    expect(tagsOf(pruned.removed)).toEqual(["longago:1", "never:1"]);
    expect(reasonsOf(pruned)).toMatchObject({ "lately:1": "unusedForMs", "used:1": "used" });
    expect(usage.get({ id: ids["used:1"]! })!.lastUsed!.getTime()).toBeGreaterThan(Date.now() - hour);
  });

  test("an image whose usage was never recorded counts as used until now", async () => {
    const { cri } = await startWith("a:1");
    const pruned = await cri.images.prune({ usage: new ImageUsage(), unusedForMs: 1_000 });
    expect(reasonsOf(pruned)).toMatchObject({ "a:1": "unusedForMs" });
  });
});

describe("prune with belowBytes", () => {
  const images = [
    sized("small:1", 10_000),
    sized("big:1", 500_000),
    sized("middle:1", 100_000),
    sized("used:1", 1_000),
  ];

  test("removes the largest images until the image file system uses less", async () => {
    const { cri } = await startWith(...images);
    await cri.runContainerInSandbox(await cri.pods.run({ name: "p" }), { name: "c", image: "used:1" });
    const used = (await cri.images.fsInfo()).imageFilesystems[0]!.usedBytes!.value.toNumber();
    expect((await cri.images.prune({ belowBytes: used + 1 })).removed).toEqual([]);
    const planned = await cri.images.prune({ belowBytes: used - 499_999, dryRun: true });
    expect(tagsOf(planned.removed)).toEqual(["big:1"]);
    const pruned = await cri.images.prune({ belowBytes: used - 500_000 });
    expect(tagsOf(pruned.removed)).toEqual(["big:1", "middle:1"]);
    expect(pruned.removedBytes).toBe(600_000);
    expect(reasonsOf(pruned)).toMatchObject({ "small:1": "belowBytes", "used:1": "used" });
  });

  test("removes the least recently used images first, if the usage is recorded", async () => {
    const { cri } = await startWith(...images);
    const listed = await cri.images.list();
    const used = listed.reduce((sum, { size }) => sum + size.toNumber(), 0);
    const order = ["small:1", "used:1", "middle:1", "big:1"];
    const firstSeen = (image: Image) => new Date(Date.now() - 9e9 + 1e6 * order.indexOf(shortTag(image))).toISOString();
    const usage = new ImageUsage({
      images: Object.fromEntries(listed.map((image) => [image.id, { firstSeen: firstSeen(image) }])),
    });
    const { removed } = await cri.images.prune({ usage, belowBytes: used - 11_500 });
    expect(removed.map(shortTag)).toEqual(["small:1", "used:1", "middle:1"]);
  });

  test("replaces an image that cannot be removed by the next one", async () => {
    const { runtime, cri } = await startWith(...images);
    runtime.failNext("RemoveImage", { code: "UNKNOWN", message: "image is in use by a container" });
    const used = (await cri.images.fsInfo()).imageFilesystems[0]!.usedBytes!.value.toNumber();
    const { removed, failed } = await cri.images.prune({ belowBytes: used - 50_000 });
    expect(tagsOf(removed)).toEqual(["middle:1"]);
    expect(tagsOf(failed.map(({ image }) => image))).toEqual(["big:1"]);
  });

  test("does not count a removal twice if the runtime has not measured since", async () => {
    const { runtime, cri } = await startFake({ images, time: "virtual" });
    const stale = await cri.raw.image.imageFsInfo({});
    const [filesystem] = stale.imageFilesystems;
    const used = filesystem!.usedBytes!.value.toNumber();
    for (const _ of [1, 2, 3]) runtime.respondNext("ImageFsInfo", stale);
    expect(tagsOf((await cri.images.prune({ belowBytes: used - 400_000 })).removed)).toEqual(["big:1"]);
    expect((await cri.images.prune({ belowBytes: used - 400_000 })).removed).toEqual([]);
    await cri.images.remove("middle:1");
    expect((await cri.images.prune({ belowBytes: used - 550_000 })).removed).toEqual([]);
  });

  test("removes all unused images below 0 bytes", async () => {
    const { cri } = await startWith(...images);
    expect((await cri.images.prune({ belowBytes: 0 })).removed).toHaveLength(images.length);
  });

  test("fails if the runtime does not report the usage", async () => {
    const { runtime, cri } = await startWith(...images);
    runtime.respondNext("ImageFsInfo", {});
    expect(await rejection(cri.images.prune({ belowBytes: 1 }))).toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(runtime.callsOf("RemoveImage")).toEqual([]);
  });
});

describe("ImageUsage", () => {
  test("keeps its state as JSON, and forgets images that are gone", async () => {
    const { cri } = await startWith("a:1", "b:1");
    const usage = new ImageUsage();
    expect(JSON.stringify(usage)).toBe('{"images":{}}');
    await cri.runContainerInSandbox(await cri.pods.run({ name: "p" }), { name: "c", image: "a:1" });
    await cri.images.recordUsage(usage);
    const restored = new ImageUsage(JSON.parse(JSON.stringify(usage)));
    expect(restored.toJSON()).toEqual(usage.toJSON());
    const [a, b] = await Promise.all(["a:1", "b:1"].map((image) => cri.images.get(image)));
    expect(restored.get(a!)).toEqual({ firstSeen: expect.any(Date), lastUsed: restored.get(a!)!.firstSeen });
    expect(restored.get(b!)).toEqual({ firstSeen: expect.any(Date), lastUsed: undefined });
    await cri.images.remove("b:1");
    await cri.images.recordUsage(restored);
    expect(restored.get(b!)).toBeUndefined();
  });

  test.each([
    ["saved", []],
    ["saved.images", { images: [] }],
    ["saved.since", { since: "yesterday", images: {} }],
    ['saved.images["x"].firstSeen', { images: { x: {} } }],
    ['saved.images["x"].lastused', { images: { x: { firstSeen: "2026-01-01T00:00:00Z", lastused: "x" } } }],
    ['saved.images["x"]', { images: { x: "2026-01-01T00:00:00Z" } }],
  ])("refuses an invalid %s", (field, saved) => {
    expect(() => new ImageUsage(saved as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
  });
});
