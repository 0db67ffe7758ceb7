/** Finding pods and containers by filters and by process ids. */
import { expect, test } from "vitest";
import { eventually, expectCode } from "./helpers/expectations.js";
import { pidsInCgroup, pidsOf } from "./helpers/host-process.js";
import { journeys, sh, uniqueSeconds } from "./helpers/journeys.js";

journeys("finding", (fixture) => {
  const { cri, namespace, traits } = fixture;

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

  test("containers.findByPid finds the container of its main process, its descendants and exec'd processes", async () => {
    const [first, nested, executed] = [uniqueSeconds(), uniqueSeconds(), uniqueSeconds()];
    await using pod = await fixture.hostNetworkPod();
    await using container = await fixture.container(pod, { command: ["/bin/sleep", first] });
    await using shell = await fixture.container(pod, { command: sh(`(sleep ${nested}; true) & wait`) });
    const find = async (seconds: string) => {
      const [pid] = await eventually(
        () => pidsOf(seconds),
        (pids) => pids.length > 0,
      );
      return (await cri.containers.findByPid(pid!))?.id;
    };
    expect(await find(first)).toBe(container.id);
    expect(await find(nested)).toBe(shell.id);
    // Processes of a fake have no control groups of their own. The client finds their container by their parent processes.
    if (fixture.runtime.flavor) return;
    await using session = await container.exec(["/bin/sh", "-c", `sleep ${executed}; true`]);
    expect(await find(executed)).toBe(container.id);
    await session.close();
  });

  test("containers.findByPid returns undefined for a process outside of containers, and for a pause process", async () => {
    await using pod = await fixture.hostNetworkPod();
    await using _container = await fixture.container(pod);
    expect(await cri.containers.findByPid(process.pid)).toBeUndefined();
    expect(await cri.containers.findByPid(1)).toBeUndefined();
    expect(await cri.containers.findByPid(0x7fff_ffff)).toBeUndefined();
    const pause = pidsInCgroup(pod.id);
    if (!fixture.runtime.flavor && traits.infoHasPid.pod) expect(pause.length).toBeGreaterThan(0);
    for (const pid of pause) expect(await cri.containers.findByPid(pid)).toBeUndefined();
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
