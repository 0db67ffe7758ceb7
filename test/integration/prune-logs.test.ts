import { mkdir, mkdtemp, realpath, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { CriClient } from "../../src/index.js";
import { FakeRuntime } from "../../src/testing/index.js";
import { treeOf } from "../support/file-tree.js";
import { rejection, startFake } from "./support.js";

const now = { minAgeMs: 0 };
const longId = "a".repeat(64);

async function folder(): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "prune-logs-")));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

async function write(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "a line\n");
  }
}

test("removes the directories of pods that do not exist, and keeps everything else", async () => {
  const { cri } = await startFake();
  const [root, outside] = [await folder(), await folder()];
  const pod = await cri.pods.run({ name: "web", uid: "u-1", logDirectory: { root } });
  await cri.containers.run(pod, { name: "c", image: "busybox:1" });
  await write(
    join(root, "default_gone_u-2/c/0.log"),
    join(root, "default_gone_u-2/c/0.log.20260101-000000.gz"),
    join(root, "kube-system_etcd_0123abcd/etcd/7.log"),
    join(root, "default_renamed_u-1/c/0.log"),
    join(root, "not-a-pod/file"),
    join(root, "default_file_u-3"),
    join(outside, "default_linked_u-4/0.log"),
  );
  await symlink(join(outside, "default_linked_u-4"), join(root, "default_linked_u-4"));
  await symlink(join(outside, "default_linked_u-4"), join(root, "default_gone_u-2/link"));
  const before = await treeOf(root);

  const expected = {
    directories: [join(root, "default_gone_u-2"), join(root, "kube-system_etcd_0123abcd")],
    files: [],
    links: [],
    failed: [],
  };
  const sorted = (result: { directories: string[] }) => ({ ...result, directories: result.directories.sort() });
  expect(sorted(await cri.pods.pruneLogs(root, { ...now, dryRun: true }))).toEqual(expected);
  expect(await treeOf(root)).toEqual(before);
  expect(sorted(await cri.pods.pruneLogs(root, now))).toEqual(expected);
  expect(await treeOf(root)).toEqual(before.filter((path) => !/default_gone_u-2|etcd/.test(path)));
  expect(await treeOf(outside)).toContainEqual(expect.stringContaining("0.log"));

  await cri.pods.remove(pod);
  expect((await cri.pods.pruneLogs(root, now)).directories.sort()).toEqual([
    join(root, "default_renamed_u-1"),
    join(root, "default_web_u-1"),
  ]);
});

test("removes the logs of removed attempts, and keeps those of containers, whatever their names", async () => {
  const { cri } = await startFake();
  const root = await folder();
  const pod = await cri.pods.run({ name: "web", uid: "u-1", logDirectory: { root } });
  await cri.containers.run(pod, { name: "app", attempt: 2, image: "busybox:1" });
  await cri.containers.run(pod, { name: "odd", logPath: "other.5.log", image: "busybox:1" });
  await cri.containers.run(pod, { name: "kube", attempt: 1, logPath: "kube/1.log", image: "busybox:1" });
  const at = (name: string) => join(root, "default_web_u-1", name);
  const obsolete = [
    "app.0.log",
    "app.0.log.20260101-000000",
    "app.1.log",
    "kube/0.log",
    "kube/0.log.1.gz",
    "gone/3.log",
  ];
  await write(
    ...obsolete.map(at),
    ...["other.5.log.1", "app.2.log.1", "kube/1.log.1", "notes.txt", "kube/core"].map(at),
  );

  const pruned = await cri.pods.pruneLogs(root, now);
  expect(pruned.files.sort()).toEqual(obsolete.map(at).sort());
  expect(pruned).toMatchObject({ directories: [], failed: [] });
  const left = (await treeOf(root)).join("\n");
  for (const name of [
    "other.5.log.1",
    "app.2.log",
    "app.2.log.1",
    "kube/1.log",
    "kube/1.log.1",
    "notes.txt",
    "kube/core",
  ])
    expect(left).toContain(name);
  for (const name of obsolete) expect(left).not.toContain(`${name}: `);
});

test("removes links to removed logs of removed containers", async () => {
  const { cri } = await startFake();
  const [root, links] = [await folder(), await folder()];
  const pod = await cri.pods.run({ name: "web", uid: "u-1", logDirectory: { root } });
  const { id } = await cri.containers.create(pod, { name: "c", image: "busybox:1" });
  await write(join(root, "default_gone_u-2/c/0.log"), join(root, "default_web_u-1/kept/0.txt"));
  const link = (name: string, target: string) => symlink(target, join(links, name));
  await link(`gone_default_c-${longId}.log`, join(root, "default_gone_u-2/c/0.log"));
  await link(`web_default_c-${longId}.log`, join(root, "default_web_u-1/c/9.log"));
  await link(`web_default_c-${id}.log`, join(root, "default_web_u-1/c/between-two-rotations.log"));
  await link(`web_default_kept-${longId}.log`, join(root, "default_web_u-1/kept/0.txt"));
  await link(`other_default_c-${longId}.log`, "/nowhere/default_other_u-9/0.log");
  await link("unrelated.log", join(root, "default_gone_u-2/c/0.log"));
  await write(join(links, `file_default_c-${longId}.log`));

  const expected = [`gone_default_c-${longId}.log`, `web_default_c-${longId}.log`].map((name) => join(links, name));
  expect((await cri.pods.pruneLogs(root, { ...now, links, dryRun: true })).links.sort()).toEqual(expected);
  const before = await treeOf(links);
  expect((await cri.pods.pruneLogs(root, { ...now, links })).links.sort()).toEqual(expected);
  expect((await treeOf(links)).length).toBe(before.length - 2);
});

test("keeps what changed lately, by default within two minutes", async () => {
  const { cri } = await startFake();
  const root = await folder();
  await write(join(root, "default_new_u-2/0.log"), join(root, "default_old_u-3/0.log"));
  const threeMinutesAgo = Date.now() / 1_000 - 180;
  await utimes(join(root, "default_old_u-3"), threeMinutesAgo, threeMinutesAgo);
  expect((await cri.pods.pruneLogs(root)).directories).toEqual([join(root, "default_old_u-3")]);
  expect((await cri.pods.pruneLogs(root, { minAgeMs: 3_600_000 })).directories).toEqual([]);
});

test("keeps the log of a container that is created after the containers were listed", async () => {
  const { runtime, cri } = await startFake();
  const root = await folder();
  await cri.pods.run({ name: "web", uid: "u-1" });
  const [old, created] = ["old/0.log", "new/0.log"].map((name) => join(root, "default_web_u-1", name)) as [
    string,
    string,
  ];
  await write(old);
  runtime.delayNext("ListContainers", 500);
  const pruning = cri.pods.pruneLogs(root, now);
  await runtime.nextCall("ListContainers");
  await write(created);
  expect((await pruning).files).toEqual([old]);
});

test("fails for a root that does not exist, and for a runtime on another machine, without removing anything", async () => {
  const { runtime, cri } = await startFake();
  expect(await rejection(cri.pods.pruneLogs("/nowhere/logs"))).toMatchObject({ code: "ENOENT" });
  const root = await folder();
  await write(join(root, "default_gone_u-2/0.log"));
  expect(await rejection(cri.pods.pruneLogs(root, { ...now, links: "/nowhere/links" }))).toMatchObject({
    code: "ENOENT",
  });
  runtime.failNext("ListContainers", { code: "UNKNOWN", message: "broken" });
  expect(await rejection(cri.pods.pruneLogs(root, now))).toMatchObject({ code: "UNKNOWN" });
  const reason = new Error("stop");
  expect(await rejection(cri.pods.pruneLogs(root, { ...now, signal: AbortSignal.abort(reason) }))).toBe(reason);

  await using remote = await FakeRuntime.start({ endpoint: "http://127.0.0.1:0" });
  await using client = await CriClient.connect({ endpoint: remote.endpoint, allowInsecureTcp: true });
  expect(await rejection(client.pods.pruneLogs(root, now))).toMatchObject({ code: "FAILED_PRECONDITION" });
  expect(await treeOf(root)).toContainEqual(expect.stringContaining("0.log"));
});

test.each([
  ["root", ["var/log/pods"]],
  ["links", ["/var/log/pods", { links: "containers" }]],
  ["minAgeMs", ["/var/log/pods", { minAgeMs: "2m" }]],
  ["dryRun", ["/var/log/pods", { dryRun: 1 }]],
])("refuses an invalid %s before any I/O", async (field, [root, options]) => {
  const { runtime, cri } = await startFake();
  expect(await rejection(cri.pods.pruneLogs(root as never, options as never))).toMatchObject({ field });
  expect(runtime.calls).toEqual([]);
});
