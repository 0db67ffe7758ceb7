/*
 * The header blocks of one direction form one zlib stream, and each ends on a byte boundary (`Z_SYNC_FLUSH`). So each block can be
 * processed on its own, after the last 32 KiB of uncompressed data. This allows the synchronous functions of node:zlib, which keep
 * frames in order without a queue. The streams of node:zlib are asynchronous.
 *
 * The compressor passes that data as a dictionary. The decompressor puts it in front as a stored block, because Deno ignores the
 * option `dictionary`: its compressor then only finds fewer repetitions, but its decompressor could not read other peers' blocks.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { headerDictionary, headerDictionaryId } from "./dictionary.js";
import { protocolError } from "./errors.js";

/** How many bytes back a zlib stream may refer. */
const inflateWindow = 32_768;

/** A smaller window, enough for our short headers: zlib then does not clear 256 KiB for each block. */
const deflateWindowBits = 12;

/** The head of a zlib stream with a preset dictionary and a window of 32 KiB, then the dictionary's checksum. */
const streamHead = Buffer.from([0x78, 0xbb, 0, 0, 0, 0]);
streamHead.writeUInt32BE(headerDictionaryId, 2);

/** The empty stored block with which a flush ends. */
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

/** Decompresses the header blocks of one direction, in the order in which they arrive. */
export class HeaderDecompressor {
  readonly #maxLength: number;
  #before = headerDictionary;
  #started = false;

  /** @param maxLength limit on one decompressed block, in bytes */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** Decompresses the next block. @throws CriError INTERNAL if it is malformed or too long; later blocks then fail, too */
  decompress(block: Buffer): Buffer {
    const body = this.#started ? block : withoutHead(block);
    this.#started = true;
    if (!body.subarray(-flushMark.length).equals(flushMark)) {
      throw protocolError("a header block that does not end where its compressed data ends");
    }
    let text: Buffer;
    try {
      const { length } = this.#before;
      text = inflateRawSync(Buffer.concat([storedBlock(this.#before), body]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: length + this.#maxLength,
        chunkSize: length + 1_024,
      }).subarray(length);
    } catch (cause) {
      const tooLong = (cause as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      const violation = tooLong ? `a header block of more than ${this.#maxLength} bytes` : "a damaged header block";
      throw protocolError(violation, cause);
    }
    this.#before = lastOf(this.#before, text, inflateWindow);
    return text;
  }
}

/** Returns a block of a raw deflate stream that stores data without compression. It is not the last block of the stream. */
function storedBlock(data: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(data.length, 1);
  head.writeUInt16LE(~data.length & 0xffff, 3);
  return Buffer.concat([head, data]);
}

function withoutHead(block: Buffer): Buffer {
  const [method = 0, flags = 0] = block;
  const isZlib = (method & 0x0f) === 8 && method >> 4 <= 7 && ((method << 8) | flags) % 31 === 0;
  if (!isZlib) throw protocolError("a first header block that is not compressed by zlib");
  // A sender may omit the dictionary, but must not name another one.
  if ((flags & 0x20) === 0) return block.subarray(2);
  if (block.length < 6 || block.readUInt32BE(2) !== headerDictionaryId) {
    throw protocolError("a first header block with another dictionary");
  }
  return block.subarray(6);
}

function lastOf(before: Buffer, text: Buffer, length: number): Buffer {
  return Buffer.concat([before, text]).subarray(-length);
}
