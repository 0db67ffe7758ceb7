/** Checks how a copy is moved to its destination: merged, never through a link, and completely or not at all. */
import { execFileSync } from "node:child_process";
import { chmod, chown, lstat, mkdir, mkdtemp, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { toText } from "../../../../../src/internal/files/byte-string.js";
import { Folder } from "../../../../../src/internal/files/folder.js";
import { findDestination, stageCopy } from "../../../../../src/resources/sessions/copy/destination.js";
import { checkSafeForRoot } from "../../../../../src/resources/sessions/copy/safe-for-root.js";
import { treeOf } from "../../../../support/file-tree.js";
import { openBelow } from "../../../../support/open-files.js";
import { canMount, skipOnWindows, skipWhere } from "../../../../support/platform.js";
import { removeTree } from "../../../../support/remove-tree.js";

const noLinks = skipOnWindows("symbolic links and modes at the destination of a copy");
const isRoot = process.getuid?.() === 0;
const noRoot = skipWhere(!isRoot, "folders of other users at the destination of a copy: this process is not root");
const noMounts = skipWhere(!canMount(), "mount points at the destination of a copy: this process may not mount");

const folder = { folder: "x" };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "place-"));
});
afterEach(async () => {
  expect(openBelow(directory)).toEqual([]);
  await removeTree(directory);
});

/** Creates files by their paths. A path that ends with / is a folder, and content that begins with -> is a link. */
async function make(files: Record<string, string>, below = directory): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const whole = join(below, path);
    await mkdir(path.endsWith("/") ? whole : join(whole, ".."), { recursive: true });
    if (content.startsWith("->")) await symlink(content.slice(2), whole);
    else if (!path.endsWith("/")) await writeFile(whole, content);
  }
}

/** Copies these files to a folder below the folder of the test. */
function copy(files: Record<string, string>, target: string, prepare = async (_: string) => {}): Promise<void> {
  return stageCopy(join(directory, target), folder, async (staging, name) => {
    const path = join(toText(await staging.path()), name);
    await make({ "./": "", ...files }, path);
    await prepare(path);
  });
}

test("stages the copy in an existing folder on the file system of the target", async () => {
  await make({ "folder/": "", file: "" });
  expect(await findDestination(join(directory, "folder"), folder)).toEqual({
    stagingParent: join(directory, "folder"),
    missing: [],
  });
  expect(await findDestination(join(directory, "a/b/c"), folder)).toEqual({
    stagingParent: directory,
    missing: ["a", "b", "c"],
  });
  expect(await findDestination(join(directory, "file"), { file: "x" })).toEqual({
    stagingParent: directory,
    missing: ["file"],
  });
});

test.skipIf(noLinks)("only this user can access the copy until it is complete", async () => {
  let mode = 0;
  await stageCopy(join(directory, "target"), folder, async (staging, name) => {
    await make({ file: "" }, join(toText(await staging.path()), name));
    ({ mode } = await staging.stat());
  });
  expect(mode & 0o777).toBe(0o700);
});

test.skipIf(noLinks)("does not replace a file with a folder or a folder with a file, and follows no link", async () => {
  await make({ "folder/": "", file: "", link: "->folder" });
  for (const [path, copied] of [
    ["folder", { file: "x" }],
    ["new/", { file: "x" }],
    ["file", folder],
    ["link", folder],
    ["file/below", folder],
  ] as const) {
    const failure = findDestination(`${directory}/${path}`, copied);
    await expect(failure).rejects.toMatchObject({ code: "INVALID_INPUT", field: "localPath" });
  }
});

test.skipIf(noLinks)("replaces a file or link with a file, and creates the missing parents of a new one", async () => {
  await make({ old: "old", link: "->old" });
  for (const path of ["old", "link", "a/b/new"]) {
    await stageCopy(join(directory, path), { file: "x" }, async (staging, name) => {
      await make({ x: "new" }, join(toText(await staging.path()), name));
    });
  }
  expect(await treeOf(directory)).toEqual([
    "folder 755 a",
    "folder 755 a/b",
    "file 644 a/b/new: new",
    "file 644 link: new",
    "file 644 old: new",
  ]);
});

test.skipIf(noLinks)("merges into a folder: replaces its files and links, but not its folders", async () => {
  await make({
    "target/kept": "kept",
    "target/both/kept": "kept",
    "target/file": "old",
    "target/now-folder": "old",
    "target/way": "->../outside",
    "outside/secret": "secret",
  });
  await copy({ file: "->both", "both/new": "new", "now-folder/new": "new", "way/secret": "overwritten" }, "target");
  const merged = [
    "folder 755 outside",
    "file 644 outside/secret: secret",
    "folder 755 target",
    "folder 755 target/both",
    "file 644 target/both/kept: kept",
    "file 644 target/both/new: new",
    "link target/file -> both",
    "file 644 target/kept: kept",
    "folder 755 target/now-folder",
    "file 644 target/now-folder/new: new",
    "folder 755 target/way",
    "file 644 target/way/secret: overwritten",
  ];
  expect(await treeOf(directory)).toEqual(merged);

  const failure = copy({ a: "a", both: "no folder", z: "z" }, "target");
  await expect(failure).rejects.toMatchObject({
    code: "INVALID_INPUT",
    details: expect.stringMatching(/target\/both/),
  });
  expect(await treeOf(directory)).toEqual(merged);
});

test("merges into a folder whose time this user may not set, as root on NFS", async () => {
  await make({ "target/": "" });
  const { utimes: setTime } = Folder.prototype;
  const spy = vi.spyOn(Folder.prototype, "utimes").mockImplementation(async function (this: Folder, mtime) {
    if (basename(await this.path()) === "target") throw Object.assign(new Error("not permitted"), { code: "EPERM" });
    await setTime.call(this, mtime);
  });
  onTestFinished(() => spy.mockRestore());
  await copy({ a: "" }, "target");
  expect(await treeOf(directory)).toEqual(["folder 755 target", "file 644 target/a: "]);
});

test.skipIf(noLinks)(
  "an existing folder keeps its mode and time, and a new folder gets those of the copy",
  async () => {
    await make({ "target/private/deeper/": "", "target/closed/": "" });
    const modes = { "target/closed": 0o555, "target/private/deeper": 0o711, "target/private": 0o700, target: 0o751 };
    const old = new Date("2001-02-03T04:05:06Z");
    for (const [path, mode] of Object.entries(modes)) {
      await chmod(join(directory, path), mode);
      await utimes(join(directory, path), old, old);
    }
    await copy({ "private/deeper/a": "", "closed/b": "", "new/c": "", "new-closed/d": "" }, "target", async (path) => {
      for (const name of ["", "private", "private/deeper", "closed", "new"]) await chmod(join(path, name), 0o777);
      await chmod(join(path, "new-closed"), 0o500);
      for (const name of ["private", "new", "new-closed"]) await utimes(join(path, name), 0, 0);
    });
    expect(await treeOf(directory)).toEqual([
      "folder 751 target",
      "folder 555 target/closed",
      "file 644 target/closed/b: ",
      "folder 777 target/new",
      "file 644 target/new/c: ",
      "folder 500 target/new-closed",
      "file 644 target/new-closed/d: ",
      "folder 700 target/private",
      "folder 711 target/private/deeper",
      "file 644 target/private/deeper/a: ",
    ]);
    const timeOf = async (path: string) => (await lstat(join(directory, "target", path))).mtimeMs;
    for (const path of ["private", "private/deeper", "closed"]) expect(await timeOf(path)).toBe(old.getTime());
    for (const path of ["new", "new-closed"]) expect(await timeOf(path)).toBe(0);
  },
);

test.skipIf(noMounts).each([
  ["a folder of another file system", ["-t", "tmpfs", "tmpfs"], "target/z/mount point", { "z/mount point/a": "a" }],
  ["a folder of the same file system", ["--bind", "outside"], "target/z/mount point", { "z/mount point/a": "a" }],
  ["a file", ["--bind", "outside/secret"], "target/z/file", { "z/file": "new" }],
])("refuses a mount point in the target before anything changes: %s", async (_, mount, at, files) => {
  await make({ "target/z/mount point/": "", "target/z/file": "old", "outside/secret": "secret" });
  execFileSync("mount", [...mount, at], { cwd: directory });
  try {
    const before = await treeOf(directory);
    const failure = copy({ a: "a", "b/c": "c", ...files }, "target");
    await expect(failure).rejects.toMatchObject({
      code: "INVALID_INPUT",
      details: expect.stringMatching(`has another file system mounted .*${at}"`),
    });
    expect(await treeOf(directory)).toEqual(before);
    // A mount point is allowed where nothing is copied to, and as the target itself.
    await copy({ a: "a", "z/b": "b" }, "target");
    expect(await treeOf(join(directory, "target"))).toEqual(
      expect.arrayContaining(["file 644 a: a", "file 644 z/b: b"]),
    );
    if (at.endsWith("point")) await copy({ a: "a" }, at);
  } finally {
    execFileSync("umount", [at], { cwd: directory });
  }
});

test.skipIf(noRoot)("without descriptors, root does not write to a folder that other users may change", async () => {
  await make({ "ours/": "", "theirs/": "", "open/": "", "sticky/": "" });
  await chmod(join(directory, "open"), 0o777);
  await chmod(join(directory, "sticky"), 0o1777);
  await chown(join(directory, "theirs"), 65_534, 65_534);
  const check = async (path: string, byDescriptor = false) => {
    await using opened = await Folder.open(join(directory, path), byDescriptor);
    await checkSafeForRoot(opened);
  };
  for (const path of ["ours", "sticky"]) await check(path);
  for (const path of ["theirs", "open"]) {
    await expect(check(path)).rejects.toMatchObject({ code: "INVALID_INPUT", field: "localPath" });
    await check(path, true);
  }
});
