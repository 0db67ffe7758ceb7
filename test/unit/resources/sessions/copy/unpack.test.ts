/** Checks unpacking beyond the corpus: modes and times, the result, single files, limits, and streams that fail. */
import { execFileSync, spawnSync } from "node:child_process";
import { link, lstat, mkdir, mkdtemp, readdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pack } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Folder } from "../../../../../src/internal/files/folder.js";
import { stageCopy } from "../../../../../src/resources/sessions/copy/destination.js";
import { unpack } from "../../../../../src/resources/sessions/copy/unpack.js";
import { treeOf } from "../../../../support/file-tree.js";
import { openBelow } from "../../../../support/open-files.js";
import { isWindows, skipWhere } from "../../../../support/platform.js";
import { removeTree } from "../../../../support/remove-tree.js";
import { end, file, folder, header, pax, symlink as symlinkEntry } from "../../../../support/tar-blocks.js";

const noBytes = skipWhere(process.platform !== "linux", "file names that are not UTF-8");

const noTar = skipWhere(
  isWindows || !/GNU tar/.test(String(spawnSync("tar", ["--version"]).stdout)),
  "archives of GNU tar: it is missing",
);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "unpack-"));
});
afterEach(() => removeTree(directory));

const noLimits = { maxBytes: Number.POSITIVE_INFINITY, maxEntries: Number.POSITIVE_INFINITY };

/** Unpacks an archive as the folder `into`. */
async function unpacked(archive: Readable | Buffer, { limits = noLimits, only = "", byDescriptor = !noBytes } = {}) {
  await mkdir(join(directory, "into"), { recursive: true });
  await removeTree(join(directory, "into"));
  await using into = await Folder.open(directory, byDescriptor);
  const stream = Buffer.isBuffer(archive) ? Readable.from([archive], { objectMode: false }) : archive;
  return await unpack(stream, into, "into", limits, only === "" ? undefined : only);
}

const archiveOf = (...entries: Buffer[]) => Buffer.concat([folder("./"), ...entries, end]);
const modeOf = async (path: string) => ((await lstat(join(directory, "into", path))).mode & 0o7777).toString(8);
const timeOf = async (path: string) => (await lstat(join(directory, "into", path))).mtimeMs / 1_000;

test("drops setuid and setgid, and sets all other bits regardless of the umask", async () => {
  await unpacked(
    archiveOf(
      folder("./", { mode: 0o2500 }),
      folder("./deep", { mode: 0o3777 }),
      file("./deep/program", "", { mode: 0o6777 }),
      file("./closed", "", { mode: 0 }),
    ),
  );
  // Windows has no execute permission, and reports a file as writable to all users.
  if (isWindows) return expect(await modeOf("deep/program")).toBe("666");
  const modes = await Promise.all([".", "deep", "deep/program", "closed"].map(modeOf));
  expect(modes).toEqual(["500", "1777", "777", "0"]);
});

test("sets the times of files, links and folders, even if files are added to the folders later", async () => {
  await unpacked(
    archiveOf(
      folder("./a", { mtime: 1_000 }),
      folder("./b", { mtime: 2_000, mode: 0o555 }),
      file("./b/c/file", "", { mtime: 3_000 }),
      ...(isWindows ? [] : [symlinkEntry("./a/link", "x")]),
      folder("./a/d", { mtime: 4_000 }),
    ),
  );
  expect(await Promise.all(["a", "b", "b/c/file", "a/d"].map(timeOf))).toEqual([1_000, 2_000, 3_000, 4_000]);
  if (!isWindows) expect([await timeOf("a/link"), await modeOf("b")]).toEqual([1_000_000_000, "555"]);
});

test("unpacks many small files at the same time, with names that are repeated, linked, and followed by large files", async () => {
  const names = Array.from({ length: 200 }, (_, index) => `d${index % 4 < 2 ? 0 : 1}/${index % 70}`);
  const contents = new Map(
    names.map((name, index) => [name, `${index} `.repeat(1 + index * (index % 9 === 0 ? 500 : 1))]),
  );
  const entries = names.map((name, index) =>
    file(`./${name}`, `${index} `.repeat(1 + index * (index % 9 === 0 ? 500 : 1))),
  );
  const last = names.at(-1) ?? "";
  const link = header({ name: "./link", type: "1", linkname: `./${last}` });
  const result = await unpacked(archiveOf(...entries, link));
  expect(result).toMatchObject({ entries: 201 });
  for (const [name, content] of contents) {
    expect(await readFile(join(directory, "into", name), "utf8"), name).toBe(content);
  }
  expect(await readFile(join(directory, "into/link"), "utf8")).toBe(contents.get(last));
  expect(openBelow(directory)).toEqual([]);
});

test("waits for the writes in flight before it fails, and closes all files", async () => {
  const files = Array.from({ length: 30 }, (_, index) => file(`./${index}`, "content"));
  const broken = Buffer.concat([folder("./"), ...files, Buffer.alloc(512, "no header")]);
  await expect(unpacked(broken)).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
  const left = await readdir(join(directory, "into"));
  expect(left).toHaveLength(files.length);
  for (const name of left) expect(await readFile(join(directory, "into", name), "utf8")).toBe("content");
  expect(openBelow(directory)).toEqual([]);
});

test("the result counts the copied entries, and names up to 100 devices and pipes that were left out", async () => {
  const pipes = Array.from({ length: 150 }, (_, index) => header({ name: `./pipes/${index}`, type: "6" }));
  const result = await unpacked(archiveOf(file("./a", "12345"), folder("./b"), ...pipes, file("./c", "678")));
  expect(result).toMatchObject({ entries: 3, contentBytes: 8, leftOutCount: 150 });
  expect(result.leftOut).toHaveLength(100);
  expect(result.leftOut.slice(0, 2)).toEqual(["pipes/0", "pipes/1"]);
});

test.skipIf(noBytes)("keeps names that are not UTF-8 byte by byte, or refuses them without descriptors", async () => {
  const names = archiveOf(file("./caf\xe9", "1"), file("./caf\xe8", "2"));
  await unpacked(names);
  expect(await treeOf(join(directory, "into"))).toEqual(["file 644 caf\xe8: 2", "file 644 caf\xe9: 1"]);
  const failure = unpacked(names, { byDescriptor: false });
  await expect(failure).rejects.toMatchObject({
    code: "INVALID_RESPONSE",
    details: expect.stringMatching(/not UTF-8/),
  });
});

test("unpacks archives of tar-stream with long names", async () => {
  const archive = pack();
  const long = "ä".repeat(100);
  archive.entry({ name: `./${long}/${long}` }, "content");
  archive.finalize();
  await unpacked(Readable.from(archive));
  expect(await readFile(join(directory, "into", long, long), "utf8")).toBe("content");
});

test.skipIf(noTar).each(["gnu", "oldgnu", "posix", "ustar", "v7"])(
  "unpacks archives of GNU tar: %s",
  async (format) => {
    const source = join(directory, "source");
    const long = "n".repeat(60);
    await mkdir(join(source, long), { recursive: true });
    await writeFile(join(source, long, "file"), "content", { mode: 0o640 });
    await link(join(source, long, "file"), join(source, "hard"));
    await symlink(long, join(source, "soft"));
    if (format !== "ustar" && format !== "v7") {
      await mkdir(join(source, long, long, long), { recursive: true });
      await symlink(long.repeat(3), join(source, "\xe4"));
      await utimes(join(source, long, long), new Date(-1_000), new Date(-1_000));
    }
    await unpacked(execFileSync("tar", [`--format=${format}`, "-cf", "-", "-C", source, "."]));
    expect(await treeOf(join(directory, "into"))).toEqual(await treeOf(source));
    for (const { name } of await readdir(source, { withFileTypes: true })) {
      const { mtimeMs } = await lstat(join(source, name));
      // Only PAX headers have fractions of seconds.
      expect(Math.floor(await timeOf(name))).toBe(Math.floor(mtimeMs / 1_000));
    }
  },
);

test.skipIf(noBytes)(
  "a refused archive leaves nothing, even with long paths and folders without permissions",
  async () => {
    const deep = `./${"d123456789abcde/".repeat(250)}`;
    const entries = ["", "2/"].flatMap((more) => [
      pax({ path: deep + more }),
      folder("x", { mode: 0 }),
      pax({ path: `${deep}${more}a` }),
      file("x"),
    ]);
    const archive = archiveOf(folder("./closed", { mode: 0 }), file("./closed/a"), ...entries, file("../escaped"));
    const copying = stageCopy(join(directory, "target"), { folder: "x" }, (staging, name) =>
      unpack(Readable.from([archive], { objectMode: false }), staging, name, noLimits),
    );
    await expect(copying).rejects.toMatchObject({ details: expect.stringMatching(/escaped/) });
    expect(await readdir(directory)).toEqual([]);
  },
);

test("unpacks the requested file, and refuses all other entries", async () => {
  await unpacked(Buffer.concat([file("file"), end]), { only: "file" });
  expect(await readFile(join(directory, "into/file"), "utf8")).toBe("content");
  for (const entry of [
    file("other"),
    file("file/below"),
    folder("file"),
    symlinkEntry("file", directory),
    header({ name: "file", type: "1", linkname: "other" }),
  ]) {
    const failure = unpacked(Buffer.concat([entry, end]), { only: "file" });
    await expect(failure).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
  }
  const pipe = unpacked(Buffer.concat([header({ name: "file", type: "6" }), end]), { only: "file" });
  await expect(pipe).rejects.toMatchObject({ code: "INVALID_INPUT", field: "containerPath" });
});

test("enforces limits, and the error names the option, its value and a remedy", async () => {
  const archive = archiveOf(file("./a"), file("./b"));
  const refusal = (limits: object) => expect(unpacked(archive, { limits: { ...noLimits, ...limits } })).rejects;
  await refusal({ maxEntries: 2 }).toMatchObject({
    code: "RESOURCE_EXHAUSTED",
    details: expect.stringMatching(/more than 2 entries, the limit of maxEntries; raise maxEntries/),
  });
  await refusal({ maxBytes: archive.length - 1 }).toMatchObject({
    code: "RESOURCE_EXHAUSTED",
    details: expect.stringMatching(/larger than \d+ bytes, the limit of maxBytes .*; raise maxBytes/),
  });
  await unpacked(archive, { limits: { maxEntries: 3, maxBytes: archive.length } });
  // The header is enough to refuse the archive.
  const announced = Buffer.concat([folder("./"), file("./a", "", { size: 10_000 })]);
  await expect(unpacked(announced, { limits: { ...noLimits, maxBytes: 9_999 } })).rejects.toThrow(/maxBytes/);
});

test("rejects with the error of the stream, and leaves no file open", async () => {
  const whole = archiveOf(file("./file", "x".repeat(1_000_000)));
  async function* breaking() {
    yield whole.subarray(0, 600_000);
    throw new Error("broken");
  }
  await expect(unpacked(Readable.from(breaking(), { objectMode: false }))).rejects.toThrow("broken");
  expect(await readdir(join(directory, "into"))).toEqual(["file"]);
  expect(openBelow(directory)).toEqual([]);
});
