import { toText } from "../../../../internal/files/byte-string.js";
import { invalidArchive } from "../archive-errors.js";

/** The block size of tar, in bytes. Headers have this size, and contents are padded to a multiple of it. */
export const blockSize = 512;

/** Returns how many zeros follow a content of this size, in bytes. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

/** A header of a tar archive. Paths are byte strings. */
export interface TarHeader {
  path: string;
  /** The type flag, for example `"0"` for a file, `"5"` for a folder, `"x"` for a PAX header. */
  type: string;
  mode: number;
  size: number;
  mtimeMs: number;
  linkpath: string;
}

/**
 * Parses the header of an entry: v7, ustar, PAX or GNU. Checks the checksum and all numbers.
 *
 * @throws CriError `INVALID_RESPONSE`
 */
export function parseHeader(block: Buffer): TarHeader {
  if (numberAt(block, checksumStart, 8, "checksum") !== checksumOf(block)) {
    throw invalidArchive("has a header with a wrong checksum");
  }
  const name = textAt(block, 0, 100);
  // In ustar, the field at 345 is the beginning of a long path. In GNU's own format, it contains times.
  const isUstar = textAt(block, 257, 6) === "ustar" && block[262] === 0;
  const prefix = isUstar ? textAt(block, 345, 155) : "";
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] || 0x30),
    mode: numberAt(block, 100, 8, "mode"),
    size: checkSize(numberAt(block, 124, 12, "size")),
    mtimeMs: toTimeMs(numberAt(block, 136, 12, "time")),
    linkpath: textAt(block, 157, 100),
  };
}

/**
 * Encodes a header in ustar format. Truncates names that are longer than their fields.
 *
 * @param block begins with the room for the header; the rest stays
 */
export function encodeHeader(
  { path, type, mode, size, mtimeMs, linkpath }: TarHeader,
  block: Buffer = Buffer.allocUnsafe(blockSize),
): Buffer {
  block.fill(0, 0, blockSize);
  block.write(path, 0, 100, "latin1");
  putNumber(block, mode, 100, 8);
  putNumber(block, 0, 108, 8); // user
  putNumber(block, 0, 116, 8); // group
  putNumber(block, size, 124, 12);
  putNumber(block, Math.floor(mtimeMs / 1_000), 136, 12);
  block.write(type, 156, 1, "latin1");
  block.write(linkpath, 157, 100, "latin1");
  block.write("ustar\x0000", 257, "latin1");
  block.write(`${checksumOf(block).toString(8).padStart(6, "0")}\0 `, checksumStart, "latin1");
  return block;
}

/** Checks a size in bytes, which must be an integer of at least 0. @throws CriError `INVALID_RESPONSE` */
export function checkSize(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw invalidArchive(`has an entry with the invalid size ${size}`);
}

/** Converts a time to milliseconds since 1970. A `Date` must be able to hold it. @throws CriError `INVALID_RESPONSE` */
export function toTimeMs(seconds: number): number {
  if (Math.abs(seconds) <= 8.64e12) return seconds * 1_000;
  throw invalidArchive(`has an entry with the invalid time ${seconds}`);
}

const checksumStart = 148;

/** Adds up all bytes. The field of the checksum itself counts as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < blockSize; index++) sum += block[index] as number;
  for (let index = checksumStart; index < checksumStart + 8; index++) sum -= block[index] as number;
  return sum;
}

function textAt(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? length : end);
}

/** Reads octal digits, or a binary number if the first bit is set. GNU tar writes numbers with too many digits in binary. */
function numberAt(block: Buffer, start: number, length: number, what: string): number {
  if ((block[start] ?? 0) & 0x80) {
    const bits = BigInt(`0x${block.toString("hex", start, start + length)}`);
    return Number(BigInt.asIntN(8 * length - 1, bits));
  }
  const digits = textAt(block, start, length).trim();
  if (/^[0-7]*$/.test(digits)) return Number.parseInt(digits || "0", 8);
  throw invalidArchive(`has a header whose ${what} is not a number: ${JSON.stringify(toText(digits))}`);
}

/** Writes octal digits, or a binary number in GNU tar's format if it has too many digits or is negative. */
function putNumber(block: Buffer, value: number, start: number, length: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(value.toString(8).padStart(length - 1, "0"), start, "latin1");
    return;
  }
  const bits = BigInt.asUintN(8 * length, BigInt(value));
  block.write(bits.toString(16).padStart(2 * length, "0"), start, "hex");
  block[start] = (block[start] ?? 0) | 0x80;
}
