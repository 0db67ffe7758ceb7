import { toText } from "../../../../internal/files/byte-string.js";
import { invalidArchive } from "../archive-errors.js";

/** The unit of tar: headers have this size, contents are padded to it. */
export const blockSize = 512;

/** One header of a tar archive. Names are byte strings. */
export interface TarHeader {
  path: string;
  /** The type flag: `"0"` is a file, `"5"` a folder, `"x"` a PAX header, and so on. */
  type: string;
  mode: number;
  size: number;
  mtimeMs: number;
  linkpath: string;
}

/**
 * Parses the header of an entry: v7, ustar, PAX or GNU. The checksum must match and every number must be one.
 *
 * @throws CriError `INVALID_RESPONSE`
 */
export function parseHeader(block: Buffer): TarHeader {
  if (numberAt(block, checksumStart, 8, "checksum") !== checksumOf(block)) {
    throw invalidArchive("has a header with a wrong checksum");
  }
  const name = textAt(block, 0, 100);
  // GNU's own format has times where ustar has the beginning of a long path.
  const isUstar = textAt(block, 257, 6) === "ustar" && block[262] === 0;
  const prefix = isUstar ? textAt(block, 345, 155) : "";
  return {
    path: prefix === "" ? name : `${prefix}/${name}`,
    type: String.fromCharCode(block[156] || 0x30),
    mode: numberAt(block, 100, 8, "mode"),
    size: sizeOf(numberAt(block, 124, 12, "size")),
    mtimeMs: timeOf(numberAt(block, 136, 12, "time")),
    linkpath: textAt(block, 157, 100),
  };
}

/** The header of an entry as ustar has it. Of a name that is longer than its field the beginning is written. */
export function encodeHeader({ path, type, mode, size, mtimeMs, linkpath }: TarHeader): Buffer {
  const block = Buffer.alloc(blockSize);
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

/** A size in bytes, which must be a whole number from 0. */
export function sizeOf(size: number): number {
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw invalidArchive(`has an entry of the size ${size}`);
}

/** A time in milliseconds since 1970, which must be one that a `Date` can hold. */
export function timeOf(seconds: number): number {
  if (Math.abs(seconds) <= 8.64e12) return seconds * 1_000;
  throw invalidArchive(`has an entry of the time ${seconds}`);
}

const checksumStart = 148;

/** The sum of all bytes. The checksum's own field counts as spaces. */
function checksumOf(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  for (const byte of block.subarray(checksumStart, checksumStart + 8)) sum -= byte;
  return sum;
}

function textAt(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString("latin1", 0, end < 0 ? length : end);
}

/** Octal digits, or binary where the first bit is set, as GNU tar writes what has too many digits. */
function numberAt(block: Buffer, start: number, length: number, what: string): number {
  if ((block[start] ?? 0) & 0x80) {
    const bits = BigInt(`0x${block.toString("hex", start, start + length)}`);
    return Number(BigInt.asIntN(8 * length - 1, bits));
  }
  const digits = textAt(block, start, length).trim();
  if (/^[0-7]*$/.test(digits)) return Number.parseInt(digits || "0", 8);
  throw invalidArchive(`has a header whose ${what} is not a number: ${JSON.stringify(toText(digits))}`);
}

/** Octal digits, or binary as GNU tar writes what has too many digits or is negative. */
function putNumber(block: Buffer, value: number, start: number, length: number): void {
  if (value >= 0 && value < 8 ** (length - 1)) {
    block.write(value.toString(8).padStart(length - 1, "0"), start, "latin1");
    return;
  }
  const bits = BigInt.asUintN(8 * length, BigInt(value));
  block.write(bits.toString(16).padStart(2 * length, "0"), start, "hex");
  block[start] = (block[start] ?? 0) | 0x80;
}
