/** Checks that this package and tar-stream can parse encoded headers. */
import { once } from "node:events";
import fc from "fast-check";
import { extract, type Header } from "tar-stream";
import { expect, test } from "vitest";
import { encodeHeader, parseHeader, type TarHeader } from "../../../../../src/resources/sessions/copy/tar/header.js";

const name = fc.string({ unit: fc.constantFrom("a", "/", "ÿ", " ", "."), minLength: 1, maxLength: 100 });
const header: fc.Arbitrary<TarHeader> = fc.record({
  path: name,
  type: fc.constantFrom("0", "1", "2", "5", "L", "K"),
  mode: fc.nat(0o7777),
  size: fc.oneof(fc.nat(), fc.maxSafeNat()),
  mtimeMs: fc.oneof(fc.nat(), fc.integer({ min: -8.64e12, max: 8.64e12 })).map((seconds) => seconds * 1_000),
  linkpath: name,
});

test("parses encoded headers", () => {
  fc.assert(
    fc.property(header, (given) => {
      expect(parseHeader(encodeHeader(given))).toEqual(given);
    }),
  );
});

async function readByTarStream(block: Buffer): Promise<Header> {
  const entries = extract();
  const [entry] = await Promise.all([once(entries, "entry"), entries.write(block)]);
  entries.destroy();
  return entry[0];
}

test.each([
  { size: 0, mtimeMs: 0 },
  { size: 8 ** 11 - 1, mtimeMs: 1_800_000_000_000 },
  { size: 8 ** 11, mtimeMs: 8 ** 11 * 1_000 },
  { size: 2 ** 52, mtimeMs: 0 },
])("tar-stream parses a header with size $size and time $mtimeMs", async ({ size, mtimeMs }) => {
  const given = { path: "dir/file", type: "0", mode: 0o4755, size, mtimeMs, linkpath: "" };
  const read = await readByTarStream(encodeHeader(given));
  expect(read).toMatchObject({ name: given.path, type: "file", mode: given.mode, size, uid: 0, gid: 0 });
  expect(read.mtime?.getTime()).toBe(mtimeMs);
});
