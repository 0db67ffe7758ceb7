/** Sub-paths of volumes: mounted by identity, so that no container can lead them out of their volume. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readMounts } from "../../../../src/internal/machine/mount-table.js";
import { mountSubPaths } from "../../../../src/kubernetes/node/sub-paths.js";
import { openBelow } from "../../../support/open-files.js";
import { notRoot, temporaryFolder } from "./support.js";

async function volumeWithSubPath(subPath: string) {
  const root = await temporaryFolder();
  const volumePath = join(root, "volume");
  await mkdir(volumePath);
  await mkdir(join(root, "node"));
  await writeFile(join(root, "node/secret"), "of the node");
  const plan = {
    container: "main",
    volumePath,
    subPath,
    path: join(root, "pod/volume-subpaths/v/main/0"),
  };
  return { root, volumePath, target: plan.path, plan };
}

async function mountsIn(root: string): Promise<string[]> {
  return (await readMounts()).map(({ path }) => path).filter((path) => path.startsWith(root));
}

test.skipIf(notRoot)("a missing sub-path is created with the permissions of the volume", async () => {
  const { volumePath, target, plan } = await volumeWithSubPath("a/b");
  await chmod(volumePath, 0o3775);
  await mountSubPaths([plan]);
  await writeFile(join(target, "new"), "1");
  expect(await readFile(join(volumePath, "a/b/new"), "utf8")).toBe("1");
  const modes = await Promise.all(["a", "a/b"].map(async (path) => (await stat(join(volumePath, path))).mode & 0o7777));
  expect(modes).toEqual([0o2775, 0o2775]);
});

test.skipIf(notRoot)("a file is mounted on a file", async () => {
  const { volumePath, target, plan } = await volumeWithSubPath("file");
  await writeFile(join(volumePath, "file"), "content");
  await mountSubPaths([plan]);
  expect(await readFile(target, "utf8")).toBe("content");
});

test.skipIf(notRoot)("links within the volume are resolved, as in volumes of ConfigMaps", async () => {
  const { volumePath, target, plan } = await volumeWithSubPath("key");
  await mkdir(join(volumePath, "..version/deep"), { recursive: true });
  await writeFile(join(volumePath, "..version/deep/key"), "value");
  await symlink("..version", join(volumePath, "..data"));
  await symlink("deep/../deep/./key", join(volumePath, "..version/relative"));
  await symlink("..data/relative", join(volumePath, "key"));
  await mountSubPaths([plan]);
  expect(await readFile(target, "utf8")).toBe("value");
});

test.skipIf(notRoot)("an absolute link to a path within the volume is resolved", async () => {
  const { volumePath, target, plan } = await volumeWithSubPath("current");
  await mkdir(join(volumePath, "v1"));
  await writeFile(join(volumePath, "v1/file"), "1");
  await symlink(join(volumePath, "v1"), join(volumePath, "current"));
  await mountSubPaths([plan]);
  expect(await readdir(target)).toEqual(["file"]);
});

test.skipIf(notRoot).each([
  ["an absolute link", "/etc", "link/x"],
  ["a relative link", "../node", "link"],
  ["a link through a directory", "dir/../../node", "link"],
  ["a link whose target begins like the volume's path", "VOLUME-2", "link"],
])("%s out of the volume is refused, and nothing is created", async (_, target, subPath) => {
  const { root, volumePath, plan } = await volumeWithSubPath(subPath);
  await mkdir(join(volumePath, "dir"));
  await mkdir(join(root, "volume-2"));
  await symlink(target.replace("VOLUME", volumePath), join(volumePath, "link"));
  await expect(mountSubPaths([plan])).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringMatching(/sub-path .* of container main: .* leads out of the volume/),
  });
  expect([await mountsIn(root), await readdir(join(root, "volume-2"))]).toEqual([[], []]);
});

test.skipIf(notRoot)("a loop of links and a path of very many directories are refused", async () => {
  const { volumePath, plan } = await volumeWithSubPath("a");
  await symlink("b", join(volumePath, "a"));
  await symlink("a", join(volumePath, "b"));
  await expect(mountSubPaths([plan])).rejects.toThrow(/more than 40 symbolic links/);
  await expect(mountSubPaths([{ ...plan, subPath: "d/".repeat(257) }])).rejects.toThrow(/more than 256 directories/);
});

test.skipIf(notRoot)("a mount is kept for the next attempt, and replaced if the sub-path is another file", async () => {
  const { root, volumePath, target, plan } = await volumeWithSubPath("dir");
  await mkdir(join(volumePath, "dir"));
  await mountSubPaths([plan]);
  await mountSubPaths([plan]);
  expect(await mountsIn(root)).toEqual([target]);
  await rename(join(volumePath, "dir"), join(volumePath, "old"));
  await writeFile(join(volumePath, "dir"), "now a file");
  await mountSubPaths([plan]);
  expect(await readFile(target, "utf8")).toBe("now a file");
  await rm(join(volumePath, "dir"));
  await mkdir(join(volumePath, "dir/sub"), { recursive: true });
  await mountSubPaths([plan]);
  expect(await readdir(target)).toEqual(["sub"]);
  expect(await mountsIn(root)).toEqual([target]);
});

test.skipIf(notRoot)(
  "a container that keeps replacing a directory with a link never gets the node's files",
  async () => {
    const { root, volumePath, target, plan } = await volumeWithSubPath("dir/sub");
    await mkdir(join(root, "node/sub"));
    await mkdir(join(volumePath, "dir/sub"), { recursive: true });
    await symlink(join(root, "node"), join(volumePath, "link"));
    // One process, so that nothing of it is left when it has ended.
    const swap = `const { renameSync } = require("node:fs");
      process.stdout.write("begun");
      const moves = [["dir", "saved"], ["link", "dir"], ["dir", "link"], ["saved", "dir"]];
      for (;;) for (const [from, to] of moves) renameSync(from, to);`;
    const attacker = spawn(process.execPath, ["-e", swap], { cwd: volumePath, stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(async () => {
      attacker.kill("SIGKILL");
      if (attacker.exitCode === null && attacker.signalCode === null) await once(attacker, "exit");
    });
    await once(attacker.stdout, "data");
    const node = await stat(join(root, "node/sub"));
    for (let round = 0; round < 20; round++) {
      await mountSubPaths([plan]).catch((error) => expect(error.code).toBe("FAILED_PRECONDITION"));
      const mounted = await stat(target).catch(() => undefined);
      expect(mounted?.ino).not.toBe(node.ino);
    }
  },
);

test.skipIf(notRoot)("no file stays open, whether it succeeds or fails", async () => {
  const { root, volumePath, plan } = await volumeWithSubPath("a/b/c");
  await symlink("/etc", join(volumePath, "out"));
  await mountSubPaths([plan]);
  await mountSubPaths([plan]);
  await expect(mountSubPaths([{ ...plan, subPath: "a/b/../../out/x" }])).rejects.toThrow();
  expect(openBelow(root)).toEqual([]);
});
