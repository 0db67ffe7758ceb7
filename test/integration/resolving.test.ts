/** `cri.resolve`, `pods.resolve` and `containers.resolve`: what a person may write for a pod or container. */
import { expect, test } from "vitest";
import { rejection, startFake } from "./support.js";

const image = "busybox:1";

/** Two pods: shop/web with the containers main and side, and batch/job with only one. */
async function startNode() {
  const { runtime, cri } = await startFake();
  const web = await cri.pods.run({ name: "web", namespace: "shop" });
  const job = await cri.pods.run({ name: "job", namespace: "batch" });
  const main = await web.runContainer({ name: "main", image });
  const side = await web.runContainer({ name: "side", image });
  const work = await job.runContainer({ name: "work", image });
  return { runtime, cri, web, job, main, side, work };
}

test("resolves ids, names, paths and beginnings of ids", async () => {
  const { cri, web, job, main, work } = await startNode();
  for (const text of [web.id, web.id.slice(0, 20), "web", "shop/web"]) {
    expect((await cri.pods.resolve(text)).id, text).toBe(web.id);
    expect(await cri.resolve(text), text).toMatchObject({ kind: "pod", id: web.id });
  }
  const paths = ["main", "web/main", "shop/web/main", `${web.id.slice(0, 20)}/main`, `${web.id}/main`];
  for (const text of [main.id, `containerd://${main.id}`, main.id.slice(0, 20), ...paths]) {
    expect((await cri.containers.resolve(text)).id, text).toBe(main.id);
    expect(await cri.resolve(text), text).toMatchObject({ kind: "container", id: main.id });
  }
  // A pod stands for its only container.
  for (const text of ["job", "batch/job", job.id, job.id.slice(0, 20)]) {
    expect((await cri.containers.resolve(text)).id, text).toBe(work.id);
    expect((await cri.resolve(text)).id, text).toBe(job.id);
  }
  expect(await cri.pods.resolve("web")).not.toHaveProperty("release");
});

test("resolves several names with one list of pods and one of containers", async () => {
  const { runtime, cri, web, job, main, work } = await startNode();
  // The first list finds out that the runtime has no streaming lists.
  await cri.resolve("web");
  runtime.clearCalls();
  const all = await cri.resolveAll(["shop/web", main.id.slice(0, 20), "job", "work", "web"]);
  expect(all.map(({ kind, id }) => [kind, id])).toEqual([
    ["pod", web.id],
    ["container", main.id],
    ["pod", job.id],
    ["container", work.id],
    ["pod", web.id],
  ]);
  expect(runtime.calls.map(({ rpc }) => rpc).sort()).toEqual(["ListContainers", "ListPodSandbox"]);
  const containers = await cri.resolveAll(["job", "main"], { kind: "container" });
  expect(containers.map(({ id }) => id)).toEqual([work.id, main.id]);
  runtime.clearCalls();
  expect(await cri.resolveAll([])).toEqual([]);
  expect(runtime.calls).toEqual([]);
});

test("fails for the first of several names that cannot be resolved, and for names that are none", async () => {
  const { cri } = await startNode();
  expect(await rejection(cri.resolveAll(["main", "maim", "sied"]))).toMatchObject({
    code: "NOT_FOUND",
    details: expect.stringContaining('"maim"'),
  });
  for (const [names, field] of [
    [undefined, "names"],
    ["main", "names"],
    [["main", ""], "names[1]"],
  ] as const) {
    expect(await rejection(cri.resolveAll(names as never)), field).toMatchObject({ code: "INVALID_INPUT", field });
  }
  expect(await rejection(cri.resolveAll(["main"], { kind: "image" as never }))).toMatchObject({ field: "kind" });
});

test("prefers a name to the beginning of an id", async () => {
  const { cri, web, main } = await startNode();
  const named = await web.runContainer({ name: main.id.slice(0, 6), image });
  expect((await cri.containers.resolve(main.id.slice(0, 6))).id).toBe(named.id);
});

test("prefers containers that run, and then the latest attempt", async () => {
  const { cri, web, job } = await startNode();
  const before = await job.runContainer({ name: "main", image });
  await before.stop({ gracePeriodSeconds: 0 });
  const first = await web.runContainer({ name: "again", image });
  await first.stop({ gracePeriodSeconds: 0 });
  const second = await web.runContainer({ name: "again", image, attempt: 1 });
  expect((await cri.containers.resolve("main")).id).not.toBe(before.id);
  expect((await cri.containers.resolve("again")).id).toBe(second.id);
  await second.stop({ gracePeriodSeconds: 0 });
  expect((await cri.containers.resolve("again")).id).toBe(second.id);
});

test("resolves a pod to its latest attempt, and a container to the one in that", async () => {
  const { cri } = await startNode();
  const first = await cri.pods.run({ name: "twice", uid: "u1" });
  await first.runContainer({ name: "only", image, attempt: 3 });
  const second = await cri.pods.run({ name: "twice", uid: "u1", attempt: 1 });
  const only = await second.runContainer({ name: "only", image });
  expect((await cri.pods.resolve("twice")).id).toBe(second.id);
  for (const text of ["only", "twice/only", "twice"]) expect((await cri.containers.resolve(text)).id).toBe(only.id);
});

test("lists the candidates of an ambiguous text", async () => {
  const { cri, web, job, main, side } = await startNode();
  const other = await job.runContainer({ name: "main", image });
  const error = await rejection(cri.containers.resolve("main"));
  expect(error).toMatchObject({ code: "FAILED_PRECONDITION", mayHaveTakenEffect: false });
  expect((error as Error).message.split("\n")).toEqual([
    expect.stringContaining('"main" may be one of 2 objects; give a longer name, or one of these ids:'),
    `  ${other.id.slice(0, 13)}  container batch/job/main (running)`,
    expect.stringContaining(`  ${main.id.slice(0, 13)}  container shop/web/main (running)`),
  ]);
  expect((await cri.containers.resolve("main", { namespace: "batch" })).id).toBe(other.id);
  const inWeb = await rejection(cri.containers.resolve("web"));
  expect((inWeb as Error).message).toContain(`${side.id.slice(0, 13)}  container shop/web/side`);
  // A pod and a container with the same name.
  await web.runContainer({ name: "job", image });
  expect(((await rejection(cri.resolve("job"))) as Error).message).toContain("pod batch/job (ready)");
  expect((await cri.pods.resolve("job")).id).toBe(job.id);
});

test("refuses the beginning of several ids, even of attempts of one container", async () => {
  const { cri, web } = await startNode();
  const ids: string[] = [];
  // 17 ids in hexadecimal: two of them begin with the same digit.
  for (let attempt = 0; attempt < 17; attempt++) ids.push((await web.runContainer({ name: "x", image, attempt })).id);
  const shared = ids.map((id) => id.slice(0, 1)).find((digit, index, all) => all.indexOf(digit) < index)!;
  const error = await rejection(cri.containers.resolve(shared));
  expect(error).toMatchObject({ code: "FAILED_PRECONDITION" });
});

test("suggests a similar name, or lists what exists", async () => {
  const { cri } = await startNode();
  expect(await rejection(cri.containers.resolve("maim"))).toMatchObject({
    code: "NOT_FOUND",
    details: 'no container has the name, the id, or the beginning of an id "maim"; did you mean "main"?',
  });
  expect(await rejection(cri.pods.resolve("shop/wbe"))).toMatchObject({
    details: expect.stringContaining('did you mean "shop/web"?'),
  });
  expect(await rejection(cri.resolve("something-else"))).toMatchObject({
    details: expect.stringMatching(/^no pod or container has .*; there are batch\/job, batch\/job\/work, shop\/web, /),
  });
  expect(await rejection(cri.pods.resolve("web", { namespace: "none" }))).toMatchObject({
    details: expect.stringContaining("there is no pod"),
  });
});

test("names a pod that has no containers", async () => {
  const { cri } = await startNode();
  await cri.pods.run({ name: "empty" });
  expect(await rejection(cri.containers.resolve("empty"))).toMatchObject({
    code: "NOT_FOUND",
    details: 'the pod "empty" has no containers',
  });
});

test.each<[string, unknown]>([
  ["an empty name", ""],
  ["a number", 5],
  ["undefined", undefined],
])("refuses %s before any call", async (_, text) => {
  const { cri, runtime } = await startFake();
  for (const resolver of [cri, cri.pods, cri.containers]) {
    expect(await rejection(resolver.resolve(text as string))).toMatchObject({ code: "INVALID_INPUT", field: "name" });
  }
  expect(runtime.calls).toEqual([]);
});
