/** Finding pods and containers by filters. */
import { expect, test } from "vitest";
import { expectCode } from "./helpers/expectations.js";
import { journeys } from "./helpers/journeys.js";

journeys("finding", (fixture) => {
  const { cri, namespace } = fixture;

  test("pods.find returns the latest attempt of a pod by its name and namespace", async () => {
    const name = fixture.name();
    await using first = await fixture.hostNetworkPod({ name, uid: "u1", attempt: 0 });
    await first.stop();
    await using second = await fixture.hostNetworkPod({ name, uid: "u1", attempt: 1 });
    expect((await cri.pods.find({ name, namespace }))?.id).toBe(second.id);
    expect((await cri.pods.find({ id: first.id.slice(0, 16) }))?.id).toBe(first.id);
    expect(await cri.pods.find({ name, namespace: `${namespace}-other` })).toBeUndefined();
    await using _other = await fixture.hostNetworkPod();
    expect((await expectCode(cri.pods.find({ namespace }), "FAILED_PRECONDITION")).message).toContain(name);
  });

  test("containers.find returns the latest attempt of a container, and pod.containers lists all of them", async () => {
    const name = fixture.name("c");
    await using pod = await fixture.hostNetworkPod();
    await using first = await fixture.container(pod, { name });
    await first.stop();
    await using second = await fixture.container(pod, { name, attempt: 1 });
    expect((await cri.containers.find({ name }))?.id).toBe(second.id);
    expect((await cri.containers.find({ name, state: "exited" }))?.id).toBe(first.id);
    expect((await pod.containers()).map(({ id }) => id).sort()).toEqual([first.id, second.id].sort());
    expect((await pod.containers({ state: "running" })).map(({ id }) => id)).toEqual([second.id]);
    await using other = await fixture.hostNetworkPod();
    expect(await other.containers()).toEqual([]);
  });

  test("images.exists agrees with images.get for every reference of an image", async () => {
    const image = (await cri.images.get(fixture.image))!;
    const short = fixture.image.replace(/^[^/]*\//, "");
    for (const reference of [image.id, image.id.slice(0, 19), ...image.repoTags, ...image.repoDigests, short]) {
      expect(await cri.images.exists(reference), reference).toBe((await cri.images.get(reference)) !== undefined);
    }
    expect(await cri.images.exists(image.id)).toBe(true);
    expect(await cri.images.exists(`${fixture.image}-absent`)).toBe(false);
  });
});
