/** Removing the directories of pods: mounts and links in them never lead to the node's files. */
import { execFileSync } from "node:child_process";
import { mkdir, open, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readMounts } from "../../../../src/internal/machine/mount-table.js";
import { listPodDirectories } from "../../../../src/kubernetes/node/pod-record.js";
import { prepareVolumes } from "../../../../src/kubernetes/node/prepare-volumes.js";
import { removeDirectory } from "../../../../src/kubernetes/node/remove-directory.js";
import { diskPlan, notRoot, temporaryFolder, volumePath } from "./support.js";

/** A pod with a directory on disk, and a file of the node beside it. */
async function preparedPod() {
  const root = await temporaryFolder();
  const scratch = volumePath(root, "empty-dir", "scratch");
  const plan = diskPlan(root, [{ kind: "emptyDir", name: "scratch", path: scratch, medium: "disk" }]);
  await prepareVolumes(plan);
  await mkdir(join(root, "node"));
  await writeFile(join(root, "node/precious"), "kept");
  return { root, scratch, podDirectory: plan.podDirectory };
}

async function mountsIn(root: string): Promise<string[]> {
  return (await readMounts()).map(({ path }) => path).filter((path) => path.startsWith(root));
}

const mount = (...args: string[]) => execFileSync("mount", args);

test.skipIf(notRoot)("a mount of the node's files within a volume is removed, but not the files", async () => {
  const { root, scratch, podDirectory } = await preparedPod();
  for (const name of ["a", "a b", "new\nline", "back\\slash"]) {
    await mkdir(join(scratch, name));
    mount("--bind", join(root, "node"), join(scratch, name));
  }
  await mkdir(join(root, "node/inner"));
  mount("-t", "tmpfs", "inner", join(scratch, "a/inner"));
  mount("--bind", join(root, "node"), join(scratch, "a"));
  await removeDirectory(podDirectory);
  expect(await readFile(join(root, "node/precious"), "utf8")).toBe("kept");
  expect([await readdir(join(root, "pods")), await mountsIn(root)]).toEqual([[], []]);
});

test.skipIf(notRoot)("a mount at a path that is not UTF-8 is removed", async () => {
  const { root, scratch, podDirectory } = await preparedPod();
  const path = Buffer.from(`${scratch}/\xff`, "latin1");
  await mkdir(path);
  execFileSync("sh", ["-c", `mount --bind ${root}/node ${scratch}/$(printf '\\377')`]);
  await removeDirectory(podDirectory);
  expect(await readFile(join(root, "node/precious"), "utf8")).toBe("kept");
  expect(await readdir(join(root, "pods"))).toEqual([]);
});

test.skipIf(notRoot)("a mount in use is detached", async () => {
  const { root, scratch, podDirectory } = await preparedPod();
  mount("-t", "tmpfs", "used", scratch);
  await using file = await open(join(scratch, "open"), "w");
  await removeDirectory(podDirectory);
  await file.write("still works");
  expect([await readdir(join(root, "pods")), await mountsIn(root)]).toEqual([[], []]);
});

test.skipIf(notRoot)("links to the node's files are removed, but not their targets", async () => {
  const { root, scratch, podDirectory } = await preparedPod();
  await symlink(join(root, "node"), join(scratch, "link"));
  await mkdir(join(scratch, "dir/dir"), { recursive: true });
  await symlink("/etc", join(scratch, "dir/dir/etc"));
  await removeDirectory(podDirectory);
  expect(await readFile(join(root, "node/precious"), "utf8")).toBe("kept");
  expect(await readdir(join(root, "pods"))).toEqual([]);
});

test.skipIf(notRoot)("a pod directory that is a link is refused", async () => {
  const { root } = await preparedPod();
  await symlink(join(root, "node"), join(root, "pods/link"));
  await expect(removeDirectory(join(root, "pods/link"))).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringContaining(`cannot remove ${join(root, "pods/link")}: ENOTDIR`),
  });
  expect(await readFile(join(root, "node/precious"), "utf8")).toBe("kept");
});

test.skipIf(notRoot)("a removal that was interrupted is completed by the next one", async () => {
  const { root, scratch, podDirectory } = await preparedPod();
  for (let index = 0; index < 50; index++) await writeFile(join(scratch, `${index}`), "");
  const reason = new Error("enough");
  await expect(removeDirectory(podDirectory, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await removeDirectory(podDirectory);
  await removeDirectory(podDirectory);
  expect(await readdir(join(root, "pods"))).toEqual([]);
});

test.skipIf(notRoot)("a record that was not written completely does not hide other pods", async () => {
  const { root, podDirectory } = await preparedPod();
  await mkdir(join(root, "pods/broken"));
  await writeFile(join(root, "pods/broken/pod.json"), '{"name":');
  expect(await listPodDirectories({ rootDirectory: root })).toEqual(
    expect.arrayContaining([
      { podDirectory, record: expect.objectContaining({ name: "web" }) },
      { podDirectory: join(root, "pods/broken"), record: undefined },
    ]),
  );
});
