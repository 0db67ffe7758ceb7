/** What is sent: the tree, and no error of a file taken for the end of the command. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { archive } from "../../../../../src/resources/sessions/copy/archive.js";
import { skipOnWindows } from "../../../../support/platform.js";

let here: string;
beforeEach(async () => {
  here = await mkdtemp(join(tmpdir(), "archive-"));
});
afterEach(() => rm(here, { recursive: true, force: true }));

async function entriesOf(source: Parameters<typeof archive>[0]) {
  const seen: Record<string, unknown> = {};
  const entries = extract();
  const sent = pipeline(Readable.from(archive(source)), entries);
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
  "files, folders and links are in it; pipes are not",
  async () => {
    const long = "long/".repeat(40) + "x".repeat(120);
    await mkdir(join(here, "tree/sub"), { recursive: true });
    await writeFile(join(here, "tree/sub/file"), "content");
    await writeFile(join(here, "tree/empty"), "");
    await symlink(long, join(here, "tree/link"));
    execFileSync("mkfifo", [join(here, "tree/pipe")]);
    const tree = join(here, "tree");
    const inside = {
      "./empty": "file",
      "./link": `symlink ${long}`,
      "./sub/": "directory",
      "./sub/file": "file content",
    };
    expect(await entriesOf({ path: tree, name: ".", itself: false })).toEqual(inside);
    expect(await entriesOf({ path: tree, name: ".", itself: true })).toEqual({ "./": "directory", ...inside });
  },
);

test("a file that cannot be read, is gone, or becomes shorter is an error of the local path", async () => {
  const read = (path: string) => entriesOf({ path: join(here, path), name: "./x", itself: true });
  await expect(read("gone")).rejects.toMatchObject({ field: "localPath", message: expect.stringContaining("ENOENT") });

  await writeFile(join(here, "shrinking"), Buffer.alloc(3_000_000));
  const chunks = archive({ path: join(here, "shrinking"), name: "./x", itself: true });
  await chunks.next();
  await truncate(join(here, "shrinking"), 10);
  const rest = async () => {
    for await (const _ of chunks);
  };
  await expect(rest()).rejects.toMatchObject({ field: "localPath", code: "INVALID_INPUT" });
});
