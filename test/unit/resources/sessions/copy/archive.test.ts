/** Checks the entries of an archive, and the errors for files that cannot be archived. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PathHandle } from "../../../../../src/internal/files/path-handle.js";
import { type ArchiveSource, archive } from "../../../../../src/resources/sessions/copy/archive.js";
import { openBelow } from "../../../../support/open-files.js";
import { skipOnWindows, skipWhere } from "../../../../support/platform.js";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function entriesOf({ path, ...source }: Omit<ArchiveSource, "root"> & { path: string }) {
  await using root = await PathHandle.open(path, { follow: false });
  const seen: Record<string, unknown> = {};
  const entries = extract();
  const sent = pipeline(Readable.from(archive({ root, ...source })), entries);
  sent.catch(() => {});
  for await (const entry of entries) {
    let content = "";
    for await (const chunk of entry) content += chunk;
    const { name, type, linkname } = entry.header;
    seen[name] = linkname ? `${type} ${linkname}` : content ? `${type} ${content}` : type;
  }
  await sent;
  return seen;
}

test.skipIf(skipOnWindows("links and pipes in a tree that is copied"))(
  "contains files, folders and links, but no pipes",
  async () => {
    const long = "long/".repeat(40) + "x".repeat(120);
    await mkdir(join(directory, "tree/sub"), { recursive: true });
    await writeFile(join(directory, "tree/sub/file"), "content");
    await writeFile(join(directory, "tree/empty"), "");
    await symlink(long, join(directory, "tree/link"));
    execFileSync("mkfifo", [join(directory, "tree/pipe")]);
    const tree = join(directory, "tree");
    const inside = {
      "./empty": "file",
      "./link": `symlink ${long}`,
      "./sub/": "directory",
      "./sub/file": "file content",
    };
    expect(await entriesOf({ path: tree, name: ".", includeRoot: false })).toEqual(inside);
    expect(await entriesOf({ path: tree, name: ".", includeRoot: true })).toEqual({ "./": "directory", ...inside });
  },
);

test("fails with the path of a file that is removed or becomes shorter during the copy", async () => {
  /** Archives more large files than are opened ahead, changes all while the first one is read, and returns the error. */
  const changing = async (change: (path: string) => Promise<void>): Promise<unknown> => {
    const paths = Array.from({ length: 50 }, (_, index) => join(directory, `tree/${index}`));
    await mkdir(join(directory, "tree"), { recursive: true });
    for (const path of paths) {
      await writeFile(path, "");
      await truncate(path, 3_000_000);
    }
    await using root = await PathHandle.open(join(directory, "tree"));
    const chunks = archive({ root, name: ".", includeRoot: false });
    await chunks.next();
    await Promise.all(paths.map(change));
    try {
      for await (const _ of chunks);
    } catch (error) {
      return error;
    }
  };
  const errorLike = (pattern: string) => ({
    field: "localPath",
    code: "INVALID_INPUT",
    message: expect.stringMatching(new RegExp(`localPath: ${pattern}, got ".*tree/\\d+"$`)),
  });
  expect(await changing((path) => rm(path))).toMatchObject(errorLike("cannot be read \\(ENOENT\\)"));
  expect(await changing((path) => truncate(path, 10))).toMatchObject(errorLike("became shorter while it was read"));
});

// Other systems do not support names that are not UTF-8.
test.skipIf(skipWhere(process.platform !== "linux", "file names that are not UTF-8"))(
  "refuses a file whose name is not UTF-8",
  async () => {
    await mkdir(join(directory, "tree"));
    await writeFile(Buffer.from(join(directory, "tree/caf\xe9"), "latin1"), "");
    await expect(entriesOf({ path: join(directory, "tree"), name: ".", includeRoot: false })).rejects.toThrow(
      "localPath: has a name that is not UTF-8; rename it, got",
    );
  },
);

test("keeps the order of the folder and all contents, with small files that are read ahead and large ones between them", async () => {
  const tree = join(directory, "tree");
  const contents: Record<string, string> = {};
  for (let index = 0; index < 100; index++) {
    const content = String.fromCharCode(97 + (index % 26)).repeat(index % 10 === 3 ? 100_000 + index : index * 37);
    await mkdir(join(tree, `d${index % 3}`), { recursive: true });
    await writeFile(join(tree, `d${index % 3}`, String(index)), content);
    contents[`./d${index % 3}/${index}`] = `file ${content}`.trimEnd();
  }
  const entries = await entriesOf({ path: tree, name: ".", includeRoot: false });
  const files = Object.entries(entries).filter(([, entry]) => entry !== "directory");
  expect(Object.fromEntries(files.map(([name, entry]) => [name, String(entry).trimEnd()]))).toEqual(contents);
});

test("closes the files that are open ahead if the reader stops early", async () => {
  await mkdir(join(directory, "tree"));
  for (let index = 0; index < 50; index++)
    await writeFile(join(directory, "tree", String(index)), Buffer.alloc(700_000));
  await using root = await PathHandle.open(join(directory, "tree"));
  for await (const _ of archive({ root, name: ".", includeRoot: false })) break;
  expect(openBelow(join(directory, "tree/"))).toEqual([]);
});

test("refuses folders that are more than 256 levels deep, and leaves no file open", async () => {
  await mkdir(join(directory, "deep", ...Array(256).fill("d")), { recursive: true });
  const source = { name: ".", includeRoot: false };
  expect(Object.keys(await entriesOf({ path: join(directory, "deep"), ...source }))).toHaveLength(256);
  await mkdir(join(directory, "deep", ...Array(257).fill("d")));
  await expect(entriesOf({ path: join(directory, "deep"), ...source })).rejects.toThrow(
    "localPath: has more than 256 levels of folders",
  );
  expect(openBelow(directory)).toEqual([]);
});
