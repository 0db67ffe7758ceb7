/** What a hostile archive can do: nothing outside of the folder it is unpacked into. */
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { unpack } from "../../../../../src/resources/sessions/copy/unpack.js";
import { openBelow } from "../../../../support/open-files.js";
import { isWindows, skipOnWindows } from "../../../../support/platform.js";

type Header = Parameters<ReturnType<typeof pack>["entry"]>[0];

let here: string;
let into: string;
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "unpack-"));
  into = join(here, "into");
  await mkdir(into);
});
afterEach(() => rm(here, { recursive: true, force: true }));

function archiveOf(...headers: Header[]): Readable {
  const archive = pack();
  for (const header of headers) {
    if (header.type && header.type !== "file") archive.entry(header);
    else archive.entry(header, "content");
  }
  archive.finalize();
  return Readable.from(archive);
}

const noLinks = skipOnWindows("symbolic links in a copy: making them takes privileges");

const folder: Header = { name: "./", type: "directory", mode: 0o755 };

test.skipIf(noLinks)("links lead anywhere, are made last, and are never written through", async () => {
  const away: Header = { name: "./way", type: "symlink", linkname: here };
  await unpack(archiveOf(folder, away, { name: "./hard", type: "link", linkname: "./way" }), into);
  expect([await readlink(join(into, "way")), await readlink(join(into, "hard"))]).toEqual([here, here]);

  for (const through of [
    { name: "./way/escaped" },
    { name: "./way/escaped", type: "directory" },
    { name: "./way/escaped", type: "symlink", linkname: here },
    { name: "./way/escaped", type: "link", linkname: "./file" },
    { name: "./way", type: "directory", mode: 0o777 },
    { name: "./way" },
  ] as Header[]) {
    await rm(into, { recursive: true });
    await mkdir(into);
    for (const entries of [
      [away, through],
      [through, away],
    ]) {
      await expect(unpack(archiveOf(folder, { name: "./file" }, ...entries), into)).rejects.toThrow();
      expect(await readdir(here)).toEqual(["into"]);
    }
  }
});

test("setuid and setgid are dropped, other bits set whatever the umask; folders' are returned, the deepest first", async () => {
  const folders = await unpack(
    archiveOf(
      { ...folder, mode: 0o2500 },
      { name: "./deep", type: "directory", mode: 0o3777 },
      { name: "./deep/program", mode: 0o6777 },
      { name: "./pipe", type: "fifo" },
    ),
    into,
  );
  // Windows has no permission to execute.
  expect((await lstat(join(into, "deep/program"))).mode & 0o7777).toBe(isWindows ? 0o666 : 0o777);
  expect(folders.map(([path, { mode }]) => [path, mode.toString(8)])).toEqual([
    ["deep", "1777"],
    [".", "500"],
  ]);
  expect(await readdir(into)).toEqual(["deep"]);
});

test("the one file asked for, and nothing else", async () => {
  await unpack(archiveOf({ name: "file" }), into, "file");
  expect(await readFile(join(into, "file"), "utf8")).toBe("content");
  for (const header of [
    { name: "other" },
    { name: "file/below" },
    { name: "file", type: "symlink", linkname: here },
    { name: "file", type: "link", linkname: "other" },
  ] as Header[]) {
    await expect(unpack(archiveOf(header), into, "file")).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
  }
  const pipe = unpack(archiveOf({ name: "file", type: "fifo" }), into, "file");
  await expect(pipe).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(unpack(archiveOf(), into, "file")).rejects.toThrow();
});

test("an archive that breaks off fails, with no file left open", async () => {
  const whole = Buffer.concat(await archiveOf(folder, { name: "./file" }).toArray());
  async function* breaking() {
    yield whole.subarray(0, 1_030);
    throw new Error("broken");
  }
  await expect(unpack(Readable.from(breaking(), { objectMode: false }), into)).rejects.toThrow("broken");
  await expect(unpack(Readable.from([whole.subarray(0, 1_030)]), into)).rejects.toThrow(/truncated/i);
  expect(openBelow(into)).toEqual([]);
});
