import { describe, expect, test } from "vitest";
import { CriClient } from "../../src/index.js";
import type { Image } from "../../src/proto.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const tagsOf = (images: readonly Image[]) => images.flatMap(({ repoTags }) => repoTags).sort();

describe("remove", () => {
  test("removes an image by its id, because runtimes interpret other references differently", async () => {
    const { runtime, cri } = await startFake();
    await cri.images.pull("busybox:2");
    const { id, repoDigests } = (await cri.images.get("busybox:2"))!;
    await cri.images.remove({ reference: "busybox:2", runtimeHandler: "kata" });
    await cri.images.pull("busybox:2");
    await cri.images.remove(repoDigests[0]!);
    expect(await cri.images.get("busybox:2")).toBeUndefined();
    const sent = runtime.callsOf("RemoveImage").map(({ request }) => (request as { image: object }).image);
    expect(sent).toMatchObject([{ image: id, userSpecifiedImage: "busybox:2", runtimeHandler: "kata" }, { image: id }]);
  });

  test("sends nothing for a missing image", async () => {
    const { runtime, cri } = await startFake();
    await cri.images.remove("absent:1");
    expect(runtime.callsOf("RemoveImage")).toEqual([]);
  });
});

describe("prune", () => {
  async function startWith(...images: string[]) {
    const { runtime, cri } = await startFake();
    for (const image of images) await cri.images.pull(image);
    return { runtime, cri };
  }

  test("removes images that no running or exited container uses", async () => {
    const { cri } = await startWith("used:1", "exited:1", "unused:1", "unused:2");
    const pod = await cri.pods.run({ name: "p" });
    const before = tagsOf(await cri.images.list());
    await pod.runContainer({ name: "running", image: "used:1" });
    const exited = await pod.runContainer({ name: "exited", image: "exited:1" });
    await exited.stop({ gracePeriodSeconds: 0 });

    const planned = await cri.images.prune({ dryRun: true });
    expect(tagsOf(await cri.images.list())).toEqual(before);
    const { removed, failed } = await cri.images.prune();
    expect(failed).toEqual([]);
    expect(tagsOf(planned.removed)).toEqual(tagsOf(removed));
    expect(tagsOf(removed)).toEqual(
      expect.arrayContaining(["docker.io/library/unused:1", "docker.io/library/unused:2"]),
    );
    const left = tagsOf(await cri.images.list());
    expect(left).toEqual(expect.arrayContaining(["docker.io/library/exited:1", "docker.io/library/used:1"]));
    expect([...left, ...tagsOf(removed)].sort()).toEqual(before);
  });

  test("removes only images that the filter accepts", async () => {
    const { cri } = await startWith("unused:1", "unused:2");
    const { removed } = await cri.images.prune({
      filter: ({ repoTags }) => repoTags.some((tag) => tag.endsWith(":2")),
    });
    expect(tagsOf(removed)).toEqual(["docker.io/library/unused:2"]);
    expect(await rejection(cri.images.prune({ filter: "x" as never }))).toMatchObject({ code: "INVALID_INPUT" });
  });

  test.each(["containerd-1.6", "containerd-2", "cri-o", "cri-dockerd"] as const)(
    "keeps used images by the names of %s, and the image of pod sandboxes",
    async (flavor) => {
      await using runtime = await FakeRuntime.start({ flavor });
      await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
      const pod = await cri.pods.run({ name: "p" });
      await pod.runContainer({ name: "c", image: "used:1" });
      await cri.images.prune();
      expect(tagsOf(runtime.images)).toEqual([
        "docker.io/library/used:1",
        expect.stringMatching(/^registry\.k8s\.io\/pause:/),
      ]);
    },
  );

  test("keeps pinned images", async () => {
    const images = [{ reference: "pinned:1", pinned: true }, "unused:1"];
    const { cri } = await startFake({ images });
    expect(tagsOf((await cri.images.prune()).removed)).toEqual(["docker.io/library/unused:1"]);
  });

  test("continues after an image that the runtime refuses to remove, and stops if the runtime is down", async () => {
    const { runtime, cri } = await startWith("unused:1", "unused:2");
    const all = await cri.images.list();
    runtime.failNext("RemoveImage", { code: "UNKNOWN", message: "image is in use by a container" });
    const { removed, failed } = await cri.images.prune();
    expect(failed).toMatchObject([{ image: { id: all[0]!.id }, error: { code: "UNKNOWN" } }]);
    expect(removed).toHaveLength(all.length - 1);

    runtime.failNext("RemoveImage", { code: "UNAVAILABLE", times: 9 });
    expect(await rejection(cri.images.prune({ retry: false }))).toMatchObject({ code: "UNAVAILABLE" });
  });
});
