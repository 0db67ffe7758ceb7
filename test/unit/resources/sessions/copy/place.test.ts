/** How a copy gets to where it belongs: added to what is there, never through a link, and all or nothing. */
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { finishFolders, moveTo, placeFor } from "../../../../../src/resources/sessions/copy/place.js";
import { skipOnWindows } from "../../../../support/platform.js";

const noLinks = skipOnWindows("symbolic links and modes where a copy goes");

let here: string;
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "place-"));
});
afterEach(() => rm(here, { recursive: true, force: true }));

/** Files by path; a path that ends in / is a folder, content that begins with -> a link. */
async function make(files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const whole = join(here, path);
    await mkdir(path.endsWith("/") ? whole : join(whole, ".."), { recursive: true });
    if (content.startsWith("->")) await symlink(content.slice(2), whole);
    else if (!path.endsWith("/")) await writeFile(whole, content);
  }
}

test("the copy is prepared on the file system it goes to, where something exists", async () => {
  await make({ "folder/": "", file: "" });
  expect(await placeFor(join(here, "folder"), true, "x")).toMatchObject({
    exists: true,
    workshop: join(here, "folder"),
  });
  expect(await placeFor(join(here, "a/b/c"), true, "x")).toMatchObject({ exists: false, workshop: here });
  expect(await placeFor(join(here, "file"), false, "x")).toMatchObject({ exists: false, workshop: here });
});

test.skipIf(noLinks)("files and folders do not replace each other, and a link is not followed", async () => {
  await make({ "folder/": "", file: "", link: "->folder" });
  for (const [path, isFolder] of [
    ["folder", false],
    ["new/", false],
    ["file", true],
    ["link", true],
    ["file/below", true],
  ] as const) {
    const failure = placeFor(`${here}/${path}`, isFolder, "x");
    await expect(failure).rejects.toMatchObject({ code: "INVALID_INPUT", field: "localPath" });
  }
});

test.skipIf(noLinks)("a folder is added to: files and links give way, folders do not", async () => {
  await make({
    "target/kept": "kept",
    "target/both/kept": "kept",
    "target/file": "old",
    "target/now-folder": "old",
    "target/way": "->../outside",
    "outside/secret": "secret",
    "copy/file": "->both",
    "copy/both/new": "new",
    "copy/now-folder/new": "new",
    "copy/way/secret": "overwritten",
  });
  await chmod(join(here, "target"), 0o751);
  await chmod(join(here, "target/both"), 0o555);
  const place = await placeFor(join(here, "target"), true, "x");
  await moveTo(place, join(here, "copy"));
  const attributes = (mode: number) => ({ mode, mtime: new Date(0) });
  await finishFolders(place, [
    ["both", attributes(0o500)],
    [".", attributes(0o700)],
  ]);
  const inside = async (path: string) => (await readdir(join(here, "target", path))).sort();
  expect(await inside("")).toEqual(["both", "file", "kept", "now-folder", "way"]);
  expect(await inside("both")).toEqual(["kept", "new"]);
  expect([await inside("now-folder"), await inside("way")]).toEqual([["new"], ["secret"]]);
  expect(await readlink(join(here, "target/file"))).toBe("both");
  expect(await readFile(join(here, "outside/secret"), "utf8")).toBe("secret");
  expect((await lstat(join(here, "target"))).mode & 0o7777).toBe(0o751);
  const both = await lstat(join(here, "target/both"));
  expect([both.mode & 0o7777, both.mtimeMs]).toEqual([0o500, 0]);

  await make({ "copy2/a": "a", "copy2/both": "no folder", "copy2/z": "z" });
  await expect(moveTo(place, join(here, "copy2"))).rejects.toMatchObject({ code: "INVALID_INPUT" });
  expect(await readdir(join(here, "target"))).not.toContain("a");
});
