/** Checks the counts of entries and bytes in archives that arrive in chunks of any size. */
import { expect, test } from "vitest";
import { EntryCounter } from "../../../../../src/resources/sessions/copy/tar/entry-counter.js";
import { base256, end, file, folder, gnuLong, hardLink, header, pax, symlink } from "../../../../support/tar-blocks.js";

function count(archive: Buffer, chunkBytes = archive.length) {
  const counter = new EntryCounter();
  for (let start = 0; start < archive.length; start += chunkBytes) {
    counter.add(archive.subarray(start, start + chunkBytes));
  }
  return [counter.entries, counter.contentBytes];
}

const entries = Buffer.concat([
  folder("./"),
  file("./a", "12345"),
  file("./empty", ""),
  gnuLong("L", "x".repeat(200)),
  file("./block", "y".repeat(512)),
  gnuLong("K", "x".repeat(200)),
  symlink("./link", "a"),
  hardLink("./hard", "a"),
  header({ name: "./pipe", type: "6" }),
]);

test.each([1, 7, 511, 512, 513, 1_000_000])("counts an archive that arrives in chunks of %i bytes", (chunkBytes) => {
  expect(count(Buffer.concat([entries, end]), chunkBytes)).toEqual([5, 517]);
});

test("the size in a PAX header overrides that of the entry it describes, and no other", () => {
  const overridden = Buffer.concat([header({ name: "a", size: 0 }), Buffer.alloc(512, "x")]);
  const archive = Buffer.concat([pax({ size: "500", mtime: "1.5" }), overridden, file("b", "12345"), end]);
  for (const chunkBytes of [1, 512, 10_000]) expect(count(archive, chunkBytes)).toEqual([2, 505]);
});

test("counts a file whose size is written in binary", () => {
  const large = header({ name: "a", size: base256(2n ** 40n, 12) });
  expect(count(Buffer.concat([large, Buffer.alloc(1_000)]))).toEqual([1, 1_000]);
});

test.each([
  ["a malformed header", Buffer.alloc(512, "z")],
  ["a wrong checksum", header({ name: "b", wrongBy: 1 })],
  ["a malformed PAX header", file("./PaxHeaders/entry", "no record", { type: "x" })],
  ["the end of the archive", end],
])("stops counting at %s", (_, block) => {
  expect(count(Buffer.concat([file("a", "12345"), block, file("c", "12345")]))).toEqual([1, 5]);
});
