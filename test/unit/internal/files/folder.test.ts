/** Checks that listing a folder and opening its entries never use another folder that has replaced it. */
import { mkdir, mkdtemp, readlink, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Folder } from "../../../../src/internal/files/folder.js";
import { PathHandle } from "../../../../src/internal/files/path-handle.js";
import { openBelow } from "../../../support/open-files.js";
import { skipOnWindows, skipWhere } from "../../../support/platform.js";

let directory: string;
const at = (name: string) => join(directory, name);
beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), "folder-")));
  await mkdir(at("folder/inner"), { recursive: true });
  await writeFile(at("folder/file"), "content");
});
afterEach(async () => {
  expect(openBelow(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

async function namesIn(folder: Folder): Promise<string[]> {
  const names: string[] = [];
  for await (const name of folder.names()) names.push(name);
  return names.sort();
}

// Linux supports descriptors and paths, other systems only paths.
const modes = process.platform === "linux" ? [true, false] : [false];

describe.each(modes)("by descriptor: %s", (byDescriptor) => {
  test("lists its names, and opens files and folders in it", async () => {
    await using folder = await Folder.open(at("folder"), byDescriptor);
    expect(await namesIn(folder)).toEqual(["file", "inner"]);
    await using entry = await folder.entry("file");
    await using file = await entry.openRegular();
    expect(await file.readFile("utf8")).toBe("content");
    await using inner = await folder.folder("inner");
    expect(await namesIn(inner)).toEqual([]);
  });

  test("follows a link only if its handle does", async () => {
    await symlink("folder", at("link"), "junction");
    await expect(Folder.open(at("link"), byDescriptor)).rejects.toMatchObject({ code: "ENOTDIR" });
    await using folder = new Folder(await PathHandle.open(at("link"), { byDescriptor }));
    expect(await namesIn(folder)).toEqual(["file", "inner"]);
  });

  test("never lists or opens another folder that has replaced it", async () => {
    await mkdir(at("other/secret"), { recursive: true });
    await using folder = await Folder.open(at("folder"), byDescriptor);
    await rename(at("folder"), at("away"));
    await rename(at("other"), at("folder"));
    const changed = { code: "ERR_FILE_CHANGED", path: at("folder") };
    if (byDescriptor) {
      expect(await namesIn(folder)).toEqual(["file", "inner"]);
      await expect(folder.folder("secret")).rejects.toMatchObject({ code: "ENOENT", path: at("folder/secret") });
    } else {
      await expect(namesIn(folder)).rejects.toMatchObject(changed);
      await expect(folder.entry("secret")).rejects.toMatchObject(changed);
      await expect(folder.folder("secret")).rejects.toMatchObject(changed);
    }
  });

  test("stays open when it is moved", async () => {
    await using parent = await Folder.open(directory, byDescriptor);
    await using folder = await parent.folder("folder");
    await folder.move(at("folder"), parent, "moved");
    expect(await namesIn(folder)).toEqual(["file", "inner"]);
    expect(await folder.path()).toBe(at("moved"));
  });

  test("has the path of the caller in errors", async () => {
    await using folder = await Folder.open(at("folder"), byDescriptor);
    await expect(folder.entry("gone")).rejects.toMatchObject({ code: "ENOENT", path: at("folder/gone") });
    await expect(folder.folder("file")).rejects.toMatchObject({ code: "ENOTDIR", path: at("folder/file") });
  });

  test.skipIf(skipOnWindows("targets of links that Windows would change"))(
    "reads the targets of links as byte strings",
    async () => {
      const target = Buffer.from("caf\xe9", "latin1");
      await symlink(target, at("folder/link"));
      await using folder = await Folder.open(at("folder"), byDescriptor);
      await using link = await folder.entry("link");
      expect(await link.readLink()).toBe(await readlink(at("folder/link"), "latin1"));
    },
  );
});

test.skipIf(skipWhere(process.platform !== "linux", "file names that are not UTF-8"))(
  "accepts names that are not UTF-8 only by descriptor",
  async () => {
    const name = "caf\xe9";
    await using held = await Folder.open(at("folder"), true);
    await using unheld = await Folder.open(at("folder"), false);
    expect([held.accepts(name), unheld.accepts(name)]).toEqual([true, false]);
    await held.make(name);
    expect((await held.lstat(name))?.isDirectory()).toBe(true);
    expect(() => unheld.at(name)).toThrow("has a name that is not UTF-8");
  },
);
