/** Checks that a malicious archive has the expected outcome, in bounded memory and without blocking the event loop. */
import { mkdtemp, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { CriError } from "../../../../../src/errors.js";
import { stageCopy } from "../../../../../src/resources/sessions/copy/destination.js";
import { unpack } from "../../../../../src/resources/sessions/copy/unpack.js";
import { recordFigures } from "../../../../support/figures.js";
import { openBelow } from "../../../../support/open-files.js";
import { skipOnWindows } from "../../../../support/platform.js";
import { removeTree } from "../../../../support/remove-tree.js";
import { maxStallMs, ResourceWatch } from "../../../../support/resource-watch.js";
import { end, file, folder, gnuLong, hardLink, header, pax, record, symlink } from "../../../../support/tar-blocks.js";
import { thorough } from "../../../../support/thorough.js";

const skipped = skipOnWindows("malicious archives: links and names that Windows does not have");

interface Hostile {
  /** The parts of the archive after the root folder, in the order in which they are sent. */
  parts: () => Iterable<Buffer>;
  /** The error message. Without it, the archive is copied. */
  refused?: RegExp;
  maxBytes?: number;
  maxEntries?: number;
}

const MiB = 2 ** 20;
const count = thorough ? 50_000 : 500;

function* chain(...parts: readonly (Buffer | Iterable<Buffer>)[]): Generator<Buffer> {
  for (const part of parts) {
    if (Buffer.isBuffer(part)) yield part;
    else yield* part;
  }
}

function* times(number: number, part: (index: number) => Buffer | readonly Buffer[]): Generator<Buffer> {
  for (let index = 0; index < number; index++) yield Buffer.concat([part(index)].flat());
}

const endless = (part: Buffer) => times(Number.POSITIVE_INFINITY, () => part);
const name = (index: number) => String(index).padStart(255, "n");

const archives: Record<string, Hostile> = {
  "a gzip bomb of links": {
    parts: () => [
      gzipSync(Buffer.concat([...times(20, () => [pax({ linkpath: "a".repeat(MiB) }), symlink("./a", "x")])])),
    ],
    refused: /compressed with gzip/,
  },
  "links with targets of 1 MiB": {
    parts: () => endless(Buffer.concat([gnuLong("K", "a".repeat(MiB)), symlink("./a", "x")])),
    refused: /name of 1048577 bytes/,
  },
  "many links with targets of the maximum length": {
    parts: () => times(count, (index) => [gnuLong("K", "a".repeat(4_000)), symlink(`./${index}`, "x")]),
  },
  "more links than maxEntries": {
    parts: () => times(count, (index) => symlink(`./${index}`, "x")),
    refused: /maxEntries/,
    maxEntries: 250,
  },
  "endless PAX headers with the maximum number of records": {
    parts: () => endless(file("./p", record("a", "").repeat(50_000), { type: "x" })),
    refused: /maxBytes/,
    maxBytes: 5 * MiB,
  },
  "endless names in PAX headers": {
    parts: () => endless(pax({ path: "a".repeat(200_000) })),
    refused: /maxBytes/,
    maxBytes: 20 * MiB,
  },
  "endless devices": {
    parts: () => endless(header({ name: "./device", type: "3" })),
    refused: /maxEntries/,
    maxEntries: 20_000,
  },
  "endless zeros after the end of the archive": {
    parts: () => endless(Buffer.alloc(65_536)),
    refused: /maxBytes/,
    maxBytes: 200 * MiB,
  },
  "a file of 8 GiB, which exceeds the limit": {
    parts: () => chain(header({ name: "./a", size: "77777777777 " }), endless(Buffer.alloc(65_536))),
    refused: /maxBytes/,
    maxBytes: 5 * 1_024 * MiB,
  },
  "a large file": {
    parts: () =>
      chain(
        header({ name: "./a", size: 256 * MiB }),
        times(256, () => Buffer.alloc(MiB, 1)),
      ),
  },
  "many files with long names in one folder": {
    parts: () => times(count, (index) => [gnuLong("L", `./${name(index)}`), file("x", "")]),
  },
  "many folders with long names and no permissions": {
    parts: () => times(count, (index) => [gnuLong("L", `./${name(index)}/b`), folder("x", { mode: 0 })]),
  },
  "files that alternate between two deep folders": {
    parts: () =>
      times(count / 50, (index) => [pax({ path: `./${index % 2}/${"d/".repeat(200)}${index}` }), file("x", "")]),
  },
  "many hard links to one file": {
    parts: () =>
      chain(
        file("./a"),
        times(count, (index) => hardLink(`./b/${index}`, "./a")),
      ),
  },
  "a folder and a link of the same name after many files": {
    parts: () =>
      chain(
        times(count, (index) => file(`./a/${index}`, "")),
        symlink("./a", "/tmp"),
      ),
    refused: /more than one kind/,
  },
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "hostile-"));
});
// If the removal timed out, it would affect the figures of the next test.
afterEach(() => removeTree(directory), thorough ? 600_000 : 60_000);

/** Sends parts as a socket does: at most 64 KiB per turn of the event loop. */
async function* inChunks(parts: Iterable<Buffer>): AsyncGenerator<Buffer> {
  for (const part of parts) {
    for (let start = 0; start < part.length; start += 65_536) {
      yield part.subarray(start, start + 65_536);
      await setImmediate();
    }
  }
}

test.skipIf(skipped).each(Object.entries(archives))(
  "uses little memory and does not block the event loop: %s",
  { timeout: thorough ? 600_000 : 60_000 },
  async (_, hostile) => {
    const { refused, maxBytes = 1_024 * MiB, maxEntries = 1_000_000 } = hostile;
    const compressed = refused?.source.includes("gzip");
    const parts = function* () {
      if (!compressed) yield folder("./");
      yield* hostile.parts();
      if (!refused) yield end;
    };
    const stream = Readable.from(inChunks(parts()), { objectMode: false });
    // The first part is created before the measurement, because the archive itself is not measured.
    stream.read(0);
    await setImmediate();
    using watch = new ResourceWatch();
    const copying = stageCopy(join(directory, "target"), { folder: "source" }, (staging, copy) =>
      unpack(stream, staging, copy, { maxBytes, maxEntries }),
    );
    const outcome = await copying.then(
      () => "OK",
      (error: CriError) => {
        expect(error.details).toMatch(refused ?? "no refusal");
        return error.code;
      },
    );
    expect(outcome === "OK").toBe(refused === undefined);
    recordFigures(outcome, watch);
    expect(watch.mebibytes).toBeLessThan(64);
    expect(watch.stallMs).toBeLessThan(maxStallMs);
    expect(await readdir(directory)).toEqual(refused ? [] : ["target"]);
    expect(openBelow(directory)).toEqual([]);
  },
);
