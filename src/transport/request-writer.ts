import type { BinaryWriter } from "@bufbuild/protobuf/wire";
import Long from "long";

/** Enough for most requests. */
const firstBytes = 256;

/** Strings up to this length are written one character at a time, if they are ASCII. A call of Node.js' encoder costs more. */
const shortString = 24;

/** A generated message object, as far as encoding needs it. */
export interface RequestType {
  // A method, so that the generated objects with their own types of messages are assignable.
  encode(message: unknown, writer: BinaryWriter): unknown;
}

/** Encodes a complete message. */
export function encodeRequest(type: RequestType, message: unknown): Buffer {
  const writer = new RequestWriter();
  // It has all methods that generated encoders call.
  type.encode(message, writer as unknown as BinaryWriter);
  return writer.finish();
}

/**
 * Writes the values of a request in sequence, for the generated encoders. It writes the same bytes as the BinaryWriter of
 * protobuf-es, which ts-proto's encoders use by default.
 */
class RequestWriter {
  #bytes = Buffer.allocUnsafe(firstBytes);
  #pos = 0;
  /** The positions after the length bytes of the values that are being written, the innermost last. */
  readonly #forks: number[] = [];

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#pos);
  }

  /** Begins a value with a length. Most are short, so one byte is left free for the length. */
  fork(): this {
    this.#reserve(1);
    this.#forks.push(++this.#pos);
    return this;
  }

  join(): this {
    const start = this.#forks.pop() as number;
    const length = this.#pos - start;
    const more = varintSize(length) - 1;
    if (more > 0) {
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#pos);
    }
    this.#pos = start - 1;
    this.uint32(length);
    this.#pos += length;
    return this;
  }

  uint32(value: number): this {
    if (value !== value >>> 0) throw new RangeError(`${value} is not an unsigned 32-bit integer`);
    this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#pos++] = rest;
    return this;
  }

  int32(value: number): this {
    if (value !== (value | 0)) throw new RangeError(`${value} is not a 32-bit integer`);
    return value >= 0 ? this.uint32(value) : this.#varint(Long.fromInt(value));
  }

  bool(value: boolean): this {
    return this.uint32(value ? 1 : 0);
  }

  /** @param value in decimal, as the generated encoders pass the integers of `Long` */
  int64(value: string): this {
    return this.#varint(Long.fromString(value));
  }

  uint64(value: string): this {
    if (value.startsWith("-")) throw new RangeError(`${value} is not an unsigned 64-bit integer`);
    return this.#varint(Long.fromString(value, true));
  }

  double(value: number): this {
    this.#reserve(8);
    this.#pos = this.#bytes.writeDoubleLE(value, this.#pos);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#pos);
    this.#pos += value.length;
    return this;
  }

  string(given: string): this {
    // JavaScript programs pass numbers, too.
    const value = typeof given === "string" ? given : String(given);
    const { length } = value;
    // UTF-8 has at most three bytes for a code unit.
    this.#reserve(5 + 3 * length);
    if (length <= shortString && this.#writeAscii(value)) return this;
    // Most text is ASCII, which has as many bytes as code units.
    const expected = varintSize(length);
    const start = this.#pos + expected;
    const bytes = this.#bytes.write(value, start);
    const actual = varintSize(bytes);
    if (actual !== expected) this.#bytes.copyWithin(this.#pos + actual, start, start + bytes);
    this.uint32(bytes);
    this.#pos += bytes;
    return this;
  }

  /** Writes a string of up to 127 characters, unless it has characters beyond ASCII. */
  #writeAscii(value: string): boolean {
    const bytes = this.#bytes;
    const { length } = value;
    let pos = this.#pos;
    bytes[pos++] = length;
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index);
      if (code > 0x7f) return false;
      bytes[pos++] = code;
    }
    this.#pos = pos;
    return true;
  }

  #varint({ low, high }: Long): this {
    this.#reserve(10);
    let lo = low >>> 0;
    let hi = high >>> 0;
    while (hi > 0 || lo > 0x7f) {
      this.#bytes[this.#pos++] = (lo & 0x7f) | 0x80;
      lo = ((lo >>> 7) | (hi << 25)) >>> 0;
      hi >>>= 7;
    }
    this.#bytes[this.#pos++] = lo;
    return this;
  }

  #reserve(count: number): void {
    const needed = this.#pos + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#pos));
    this.#bytes = larger;
  }
}

/** The number of bytes of an unsigned 32-bit integer as a varint. */
function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}
