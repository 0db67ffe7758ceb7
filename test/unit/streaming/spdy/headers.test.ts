import { constants, createDeflate, createInflate, deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { headerDictionary, headerDictionaryId } from "../../../../src/streaming/spdy/dictionary.js";
import { HeaderCompressor, HeaderDecompressor } from "../../../../src/streaming/spdy/header-compression.js";
import { decodeHeaders, encodeHeaders } from "../../../../src/streaming/spdy/headers.js";

describe("the dictionary", () => {
  test("has the length and the checksum of the protocol", () => {
    expect(headerDictionary).toHaveLength(1_423);
    let [a, b] = [1, 0];
    for (const byte of headerDictionary) {
      a = (a + byte) % 65_521;
      b = (b + a) % 65_521;
    }
    expect(b * 65_536 + a).toBe(0xe3c6a7c2);
    expect(headerDictionaryId).toBe(0xe3c6a7c2);
    expect(deflateSync("", { dictionary: headerDictionary }).readUInt32BE(2)).toBe(0xe3c6a7c2);
  });
});

/** The header blocks of 100 forwarded connections. */
const blocks = Array.from({ length: 100 }, (_, index) =>
  encodeHeaders({ streamType: index % 2 === 0 ? "error" : "data", port: "8080", requestID: String(index >> 1) }),
);

/** Compresses blocks with one zlib stream, as other implementations do. */
async function compressedByZlib(texts: readonly Buffer[], level = 9): Promise<Buffer[]> {
  const deflate = createDeflate({ dictionary: headerDictionary, level });
  const out: Buffer[] = [];
  deflate.on("data", (part: Buffer) => out.push(part));
  const result: Buffer[] = [];
  for (const text of texts) {
    out.length = 0;
    deflate.write(text);
    await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    result.push(Buffer.concat(out));
  }
  deflate.close();
  return result;
}

describe("compression", () => {
  test("writes one zlib stream, which other implementations can read", async () => {
    const compressor = new HeaderCompressor();
    const inflate = createInflate({ dictionary: headerDictionary });
    const out: Buffer[] = [];
    inflate.on("data", (part: Buffer) => out.push(part));
    for (const block of blocks) {
      out.length = 0;
      inflate.write(compressor.compress(block));
      await new Promise<void>((resolve) => inflate.flush(resolve));
      expect(Buffer.concat(out)).toEqual(block);
    }
    inflate.close();
  });

  test.each([9, 1, 0])("reads zlib streams of level %i block by block", async (level) => {
    const decompressor = new HeaderDecompressor(65_536);
    for (const [index, compressed] of (await compressedByZlib(blocks, level)).entries()) {
      expect(decompressor.decompress(compressed)).toEqual(blocks[index]);
    }
  });

  test("the dictionary and earlier blocks make blocks smaller", () => {
    const compressor = new HeaderCompressor();
    const lengths = blocks.map((block) => compressor.compress(block).length);
    expect(lengths[0]).toBeLessThan(blocks[0]?.length ?? 0);
    expect(lengths.at(-1)).toBeLessThan(25);
  });

  test("compresses and decompresses any blocks, even ones longer than the window", () => {
    const text = fc.oneof(
      fc.string({ maxLength: 50 }),
      fc.nat(40_000).map((length) => "ab".repeat(length)),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 6 }), (texts) => {
        const [compressor, decompressor] = [new HeaderCompressor(), new HeaderDecompressor(1 << 20)];
        for (const value of texts) {
          const block = encodeHeaders({ value });
          expect(decompressor.decompress(compressor.compress(block)).equals(block)).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  test("reads a stream without the dictionary", () => {
    const compressed = deflateSync("abc", { finishFlush: constants.Z_SYNC_FLUSH });
    expect(new HeaderDecompressor(100).decompress(compressed).toString()).toBe("abc");
  });

  test("rejects a small block that expands beyond the limit", async () => {
    const [bomb] = await compressedByZlib([Buffer.alloc(10_000_000)]);
    expect(bomb?.length).toBeLessThan(20_000);
    expect(() => new HeaderDecompressor(65_536).decompress(bomb as Buffer)).toThrow(/more than 65536 bytes/);
  });

  test.each([
    ["nothing", ""],
    ["not zlib", "00000000ffff"],
    ["half of a zlib header", "78bb"],
    ["another dictionary", "78bb00000001020000ffff"],
    ["no data", "78bbe3c6a7c2"],
    ["no flush at the end", "78bbe3c6a7c263646060"],
    ["garbage with a valid end", "78bbe3c6a7c2ffffffff0000ffff"],
  ])("rejects %s", (_name, bytes) => {
    expect(() => new HeaderDecompressor(100).decompress(Buffer.from(bytes, "hex"))).toThrow(
      /violated the SPDY\/3\.1 protocol/,
    );
  });

  test("decompresses or rejects any input", () => {
    const valid = new HeaderCompressor().compress(encodeHeaders({ streamType: "stdout" }));
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 5 }), (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, byte] of changes) bytes[at] = byte;
        try {
          decodeHeaders(new HeaderDecompressor(1_000).decompress(bytes));
        } catch (error) {
          expect(error).toMatchObject({ code: "INTERNAL" });
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("header blocks", () => {
  const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");

  test("encodes names in lower case, after their lengths", () => {
    const bytes = hex("00000001 0000000a 73747265616d74797065 00000004 64617461");
    expect(encodeHeaders({ streamType: "data" })).toEqual(bytes);
    expect(decodeHeaders(bytes)).toEqual(new Map([["streamtype", ["data"]]]));
  });

  test("decodes several values of one name", () => {
    expect(decodeHeaders(hex("00000001 00000001 61 00000003 620063"))).toEqual(new Map([["a", ["b", "c"]]]));
  });

  test.each([
    ["no count", "000000"],
    ["a count without headers", "00000001"],
    ["a huge count", "ffffffff"],
    ["a name longer than the block", "00000001 00000005 61"],
    ["a huge name", "00000001 ffffffff 61"],
    ["no value", "00000001 00000001 61"],
    ["an empty name", "00000001 00000000 00000000"],
    ["upper case", "00000001 00000001 41 00000000"],
    ["a repeated name", "00000002 00000001 61 00000000 00000001 61 00000000"],
    ["bytes after the last header", "00000000 00"],
  ])("rejects %s", (_name, bytes) => {
    expect(() => decodeHeaders(hex(bytes))).toThrow(/violated the SPDY\/3\.1 protocol/);
  });
});
