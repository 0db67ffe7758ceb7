/** `pods.find`, `containers.find`, `pod.containers`, `containers.findByPid` and `images.exists`. */
import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import type { ContainerFilter, PodFilter } from "../../src/index.js";
import { Long } from "../../src/proto.js";
import { HostProcessBackend } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const web = { name: "web", namespace: "shop" };
const main = { name: "main", image: "busybox:1" };

test("pods.find returns a borrowed handle of the only pod that matches, or undefined", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run({ ...web, labels: { app: "web" } });
  await cri.pods.run({ name: "other", namespace: "shop" });
  for (const filter of [web, { labels: { app: "web" } }, { id: pod.id.slice(0, 12) }]) {
    const found = await cri.pods.find(filter);
    expect(found?.id).toBe(pod.id);
    expect(found).not.toHaveProperty("release");
  }
  expect(await cri.pods.find({ ...web, state: "notReady" })).toBeUndefined();
  expect(await cri.pods.find({ name: "web", namespace: "default" })).toBeUndefined();
});

test("pods.find returns the highest attempt, even if it is older", async () => {
  const { cri } = await startFake();
  const latest = await cri.pods.run({ ...web, uid: "u1", attempt: 1 });
  await cri.pods.run({ ...web, uid: "u1", attempt: 0 });
  expect((await cri.pods.find(web))?.id).toBe(latest.id);
});

test("pods.find returns the newest of pods that were created again with another uid", async () => {
  const { cri } = await startFake();
  await cri.pods.run({ ...web, uid: "u1", attempt: 3 });
  await cri.pods.run({ ...web, uid: "u2", attempt: 0 });
  const latest = await cri.pods.run({ ...web, uid: "u2", attempt: 1 });
  expect((await cri.pods.find(web))?.id).toBe(latest.id);
});

test("pods.find refuses a filter that matches different pods, and names three of them", async () => {
  const { cri } = await startFake();
  for (const name of ["a", "b", "c", "d"]) await cri.pods.run({ name, namespace: "shop" });
  await cri.pods.run({ name: "a", namespace: "shop", uid: "again" });
  expect(await rejection(cri.pods.find({ namespace: "shop" }))).toMatchObject({
    code: "FAILED_PRECONDITION",
    mayHaveTakenEffect: false,
    details: "the filter matches 4 pods (shop/a, shop/b, shop/c and 1 more); narrow the filter, or use list()",
  });
});

test.each<[string, PodFilter & ContainerFilter]>([
  ["no criterion", {}],
  ["an undefined value", { name: undefined }],
  ["no labels", { labels: {} }],
])("find refuses a filter with %s before any call", async (_, filter) => {
  const { cri, runtime } = await startFake();
  for (const find of [() => cri.pods.find(filter), () => cri.containers.find(filter)]) {
    expect(await rejection(find())).toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("filter: must have at least one field"),
    });
  }
  expect(runtime.calls).toEqual([]);
});

test("find refuses an unknown field before any call", async () => {
  const { cri, runtime } = await startFake();
  for (const find of [
    () => cri.pods.find({ names: "web" } as never),
    () => cri.containers.find({ names: "web" } as never),
  ]) {
    expect(await rejection(find())).toMatchObject({ message: expect.stringContaining("did you mean name") });
  }
  expect(runtime.calls).toEqual([]);
});

test("containers.find returns the latest attempt of a container", async () => {
  const { cri } = await startFake();
  const pod = await cri.pods.run(web);
  const first = await pod.runContainer(main);
  const second = await pod.runContainer({ ...main, attempt: 1 });
  await second.stop({ gracePeriodSeconds: 0 });
  expect((await cri.containers.find({ name: "main" }))?.id).toBe(second.id);
  expect((await cri.containers.find({ name: "main", pod, state: "running" }))?.id).toBe(first.id);
  expect(await cri.containers.find({ name: "absent" })).toBeUndefined();
});

test("containers.find returns the container in the latest attempt of the pod", async () => {
  const { cri } = await startFake();
  const before = await cri.pods.run({ ...web, uid: "u1" });
  await before.runContainer({ ...main, attempt: 2 });
  const after = await cri.pods.run({ ...web, uid: "u1", attempt: 1 });
  const latest = await after.runContainer(main);
  expect((await cri.containers.find({ name: "main" }))?.id).toBe(latest.id);
});

test("containers.find refuses a filter that matches containers with different names or of different pods", async () => {
  const { cri } = await startFake();
  const labels = { app: "web" };
  const pod = await cri.pods.run(web);
  const other = await cri.pods.run({ name: "other", namespace: "shop" });
  await pod.runContainer({ ...main, labels });
  await pod.runContainer({ ...main, name: "side", labels });
  await other.runContainer({ ...main });
  expect(await rejection(cri.containers.find({ labels }))).toMatchObject({
    code: "FAILED_PRECONDITION",
    details: expect.stringContaining("matches 2 containers (main, side);"),
  });
  expect(await rejection(cri.containers.find({ name: "main" }))).toMatchObject({
    code: "FAILED_PRECONDITION",
    details: expect.stringContaining("matches 2 containers (main in shop/other, main in shop/web);"),
  });
});

test("pod.containers lists the containers of the pod as containers.list does", async () => {
  const { cri, runtime } = await startFake();
  const pod = await cri.pods.run(web);
  const container = await pod.runContainer(main);
  await (await cri.pods.run({ name: "other" })).runContainer(main);
  expect(await pod.containers()).toEqual(await cri.containers.list({ pod }));
  expect((await cri.pods.get(pod.id).containers({ state: "running" })).map(({ id }) => id)).toEqual([container.id]);
  expect(await pod.containers({ name: "absent" })).toEqual([]);
  const before = runtime.calls.length;
  expect(await rejection(pod.containers({ pod: "other" } as never))).toMatchObject({ field: "filter.pod" });
  expect(runtime.calls).toHaveLength(before);
});

test.each(["containerd-2", "cri-o", "cri-dockerd"] as const)(
  "images.exists agrees with images.get on %s",
  async (flavor) => {
    const { cri } = await startFake({ flavor, images: ["docker.io/library/busybox:1"] });
    const image = (await cri.images.get("docker.io/library/busybox:1"))!;
    const references = [
      image.id,
      image.id.replace("sha256:", "").slice(0, 12),
      ...image.repoTags,
      ...image.repoDigests,
    ];
    for (const reference of [...references, "busybox:1", "busybox", "docker.io/library/busybox:2"]) {
      expect(await cri.images.exists(reference), reference).toBe((await cri.images.get(reference)) !== undefined);
    }
    expect(await cri.images.exists("docker.io/library/busybox:1")).toBe(true);
    expect(await cri.images.exists("docker.io/library/busybox:2")).toBe(false);
  },
);

const isLinux = process.platform === "linux";
const onLinux = test.skipIf(!isLinux);

/** Starts a container whose process is a shell of this machine, with a `sleep` below it. Returns both process ids. */
async function startHostProcess() {
  const fake = await startFake({ backend: new HostProcessBackend() });
  const pod = await fake.cri.pods.run(web);
  const container = await pod.runContainer({ ...main, command: ["sh", "-c", "sleep 1000 & wait"] });
  const { pid } = await container.inspect();
  const children = () => readFile(`/proc/${pid}/task/${pid}/children`, "utf8");
  await expect.poll(children).toMatch(/\d/);
  return { ...fake, pod, container, pid: pid!, child: Number.parseInt(await children(), 10) };
}

onLinux("containers.findByPid finds the container of a process and of its descendants", async () => {
  const { cri, pod, container, pid, child } = await startHostProcess();
  await pod.runContainer({ ...main, name: "other", command: ["sleep", "1000"] });
  expect((await cri.containers.findByPid(pid))?.id).toBe(container.id);
  const found = await cri.containers.findByPid(child);
  expect(found?.id).toBe(container.id);
  expect(found).not.toHaveProperty("release");
});

onLinux(
  "containers.findByPid returns undefined for processes outside of containers, and for those that do not exist",
  async () => {
    const { cri, container, pid } = await startHostProcess();
    expect(await cri.containers.findByPid(process.pid)).toBeUndefined();
    expect(await cri.containers.findByPid(0x7fff_ffff)).toBeUndefined();
    await container.stop({ gracePeriodSeconds: 0 });
    expect(await cri.containers.findByPid(pid)).toBeUndefined();
  },
);

onLinux("containers.findByPid does not take a process for the one with its id in another pid namespace", async () => {
  const { runtime, cri } = await startFake();
  const pod = await cri.pods.run(web);
  const container = await pod.runContainer(main);
  const { status } = await container.inspect();
  for (const hours of [-1, 1]) {
    const shifted = (value: Long) => value.add(Long.fromNumber(hours * 3_600e9));
    const times = { createdAt: shifted(status.createdAt), startedAt: shifted(status.startedAt) };
    runtime.respondNext("ContainerStatus", {
      status: { ...status, ...times },
      info: { info: JSON.stringify({ pid: process.pid }) },
    });
    const inspected = runtime.callsOf("ContainerStatus").length;
    expect(await cri.containers.findByPid(process.pid)).toBeUndefined();
    expect(runtime.callsOf("ContainerStatus")).toHaveLength(inspected + 1);
  }
});

test.each([0, -1, 1.5, Number.NaN, "1", undefined, null, 2 ** 31])(
  "containers.findByPid refuses the pid %j before any I/O",
  async (pid) => {
    const { cri, runtime } = await startFake();
    expect(await rejection(cri.containers.findByPid(pid as never))).toMatchObject({
      field: "pid",
      code: "INVALID_INPUT",
    });
    expect(runtime.calls).toEqual([]);
  },
);

test("containers.findByPid refuses a runtime that may be on another machine", async () => {
  const { cri, runtime } = await startFake({ endpoint: "http://127.0.0.1:0" }, { allowInsecureTcp: true });
  expect(await rejection(cri.containers.findByPid(process.pid))).toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringContaining("the endpoint must be a Unix socket"),
  });
  expect(runtime.calls).toEqual([]);
});
