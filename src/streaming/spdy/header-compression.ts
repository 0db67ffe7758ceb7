/*
 * Header blocks are parts of one zlib stream per direction, and each ends on a byte boundary (`Z_SYNC_FLUSH`). Whoever remembers
 * the last 32 KiB of text can therefore take up such a stream anew at any block, with that text as its dictionary. That allows
 * the synchronous functions of node:zlib, which keep frames in order without a queue: its streams only work asynchronously.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { headerDictionary, headerDictionaryId } from "./dictionary.js";
import { protocolError } from "./protocol-error.js";

/** How far back a zlib stream may refer. */
const inflateWindow = 32_768;

/** A smaller one, for headers of a few words: it saves zlib from clearing a quarter of a megabyte per block. */
const deflateWindowBits = 12;

/** The head of a zlib stream that starts from a dictionary, for a window of 32 KiB, and the name of the dictionary. */
const streamHead = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
streamHead.writeUInt32BE(headerDictionaryId, 2);

/** What is left in the output when a block was flushed: an empty stored block. */
const flushMark = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** Compresses the header blocks of one direction, in the order in which they are sent. */
export class HeaderCompressor {
  #before = headerDictionary;
  #head = streamHead;

  compress(block: Buffer): Buffer {
    const compressed = deflateRawSync(block, {
      dictionary: this.#before,
      finishFlush: constants.Z_SYNC_FLUSH,
      level: 9,
      windowBits: deflateWindowBits,
      memLevel: 5,
      chunkSize: 1_024,
    });
    this.#before = lastOf(this.#before, block, 1 << deflateWindowBits);
    const head = this.#head;
    this.#head = Buffer.alloc(0);
    return Buffer.concat([head, compressed]);
  }
}

/** Expands the header blocks of one direction, in the order in which they arrive. */
export class HeaderDecompressor {
  readonly #maxLength: number;
  #before = headerDictionary;
  #started = false;

  /** @param maxLength most bytes that one block may expand to */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** @throws CriError INTERNAL unless the block is intact and within bounds; the connection cannot go on then. */
  decompress(block: Buffer): Buffer {
    const body = this.#started ? block : withoutHead(block);
    this.#started = true;
    if (!body.subarray(-flushMark.length).equals(flushMark)) {
      throw protocolError("a header block does not end where its compressed data does");
    }
    let text: Buffer;
    try {
      text = inflateRawSync(body, {
        dictionary: this.#before,
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#maxLength,
        chunkSize: 1_024,
      });
    } catch (cause) {
      const tooLong = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      const what = tooLong ? `a header block of more than ${this.#maxLength} bytes` : "a damaged header block";
      throw protocolError(what, cause);
    }
    this.#before = lastOf(this.#before, text, inflateWindow);
    return text;
  }
}

function withoutHead(block: Buffer): Buffer {
  const [method = 0, flags = 0] = block;
  const isZlib = (method & 0x0f) === 8 && method >> 4 <= 7 && ((method << 8) | flags) % 31 === 0;
  if (!isZlib) throw protocolError("the first header block is not compressed by zlib");
  // A sender may do without the dictionary; naming another one is the mistake.
  if ((flags & 0x20) === 0) return block.subarray(2);
  if (block.length < 6 || block.readUInt32BE(2) !== headerDictionaryId) {
    throw protocolError("the first header block names another dictionary");
  }
  return block.subarray(6);
}

function lastOf(before: Buffer, text: Buffer, length: number): Buffer {
  return Buffer.concat([before, text]).subarray(-length);
}
