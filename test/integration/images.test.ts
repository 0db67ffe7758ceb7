import { describe, expect, test } from "vitest";
import { startFake } from "./support.js";

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
