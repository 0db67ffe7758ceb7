/** Checks the outcome of every archive that a container may send: exactly these files, or this error and nothing left. */
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { stageCopy } from "../../../../../src/resources/sessions/copy/destination.js";
import { unpack } from "../../../../../src/resources/sessions/copy/unpack.js";
import { treeOf } from "../../../../support/file-tree.js";
import { openBelow } from "../../../../support/open-files.js";
import { skipOnWindows } from "../../../../support/platform.js";
import { removeTree } from "../../../../support/remove-tree.js";
import { corpus } from "./corpus.js";

const skipped = skipOnWindows("the corpus of archives: links, modes, and names that Windows does not have");

const isLinux = process.platform === "linux";
const platform = vi.hoisted(() => ({ byDescriptor: true }));
vi.mock("../../../../../src/internal/files/descriptors.js", async (original) => ({
  ...(await original<object>()),
  hasDescriptors: () => platform.byDescriptor,
}));

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "corpus-"));
  await writeFile(join(directory, "secret"), "secret");
  await mkdir(join(directory, "empty"));
});
afterEach(() => removeTree(directory));

function* portions(archive: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < archive.length; start += size) yield archive.subarray(start, start + size);
}

const limits = { maxBytes: 10_000_000, maxEntries: 1_000 };

test.skipIf(skipped).each([...corpus])(
  "unpacks to exactly the expected files, or is refused and leaves nothing: %s",
  async (_, [archive, outcome]) => {
    // In one chunk into an existing folder by descriptor, and in small chunks to a new path without descriptors.
    for (const [size, target, byDescriptor] of [
      [archive.length + 1, "empty", true],
      [97, "new", false],
    ] as const) {
      platform.byDescriptor = byDescriptor && isLinux;
      const stream = Readable.from(portions(archive, size), { objectMode: false });
      const copying = stageCopy(join(directory, target), { folder: "source" }, (staging, name) =>
        unpack(stream, staging, name, limits),
      );
      if (outcome instanceof RegExp) {
        const code = expect.stringMatching(/^(INVALID_RESPONSE|RESOURCE_EXHAUSTED)$/);
        await expect(copying).rejects.toMatchObject({ code, details: expect.stringMatching(outcome) });
        expect(stream.destroyed).toBe(true);
        expect(await treeOf(directory)).toEqual(untouched);
        continue;
      }
      await copying;
      expect(await treeOf(join(directory, target))).toEqual(outcome);
      await removeTree(join(directory, target));
      if (target === "empty") await mkdir(join(directory, target));
      expect(await treeOf(directory)).toEqual(untouched);
    }
    expect(openBelow(directory)).toEqual([]);
  },
);

const untouched = ["folder 755 empty", "file 644 secret: secret"];
