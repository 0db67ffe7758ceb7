import { BinaryReader } from "@bufbuild/protobuf/wire";
import Long from "long";
import { cachedString } from "./string-cache.js";

/** The beginning of the error message for a message with more fields than allowed. grpc-js puts a prefix before it. */
export const tooManyFields = "Received message with more fields than allowed";

/**
 * Reads the values of a message in sequence, for the generated decoders. It accepts and refuses the same bytes as the
 * BinaryReader of protobuf-es, which ts-proto's decoders use.
 *
 * @throws RangeError if the bytes end too early, or if there are more fields than allowed
 */
export class ReplyReader {
  readonly len: number;
  /** The position of the next value. */
  pos = 0;
  /** The number of tags that have been read. */
  fields = 0;
  readonly #buf: Buffer;
  readonly #view: DataView;
  readonly #maxFields: number;
  /** Whether the bytes will be overwritten. */
  readonly #isReused: boolean;
  #skipper: Skipper | undefined;

  constructor(bytes: Uint8Array, maxFields: number, { isReused = false } = {}) {
    this.#buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.len = bytes.length;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#maxFields = maxFields;
    this.#isReused = isReused;
  }

  /** What is read. May be overwritten later. */
  get buffer(): Buffer {
    return this.#buf;
  }

  tag(): number {
    this.count();
    return this.uint32();
  }

  count(): void {
    if (++this.fields > this.#maxFields) throw new RangeError(`${tooManyFields} (${this.#maxFields})`);
  }

  /** Reads the length of a value, and returns the end of the value, which may be beyond the end of the bytes. */
  end(): number {
    const length = this.uint32();
    return this.pos + length;
  }

  uint32(): number {
    const { pos } = this;
    const byte = this.#byteAt(pos);
    if (byte >= 0x80) return this.#varint().lo >>> 0;
    this.pos = pos + 1;
    return byte;
  }

  int32(): number {
    return this.uint32() | 0;
  }

  bool(): boolean {
    const { lo, hi } = this.#varint();
    return (lo | hi) !== 0;
  }

  int64(): Long {
    const { lo, hi } = this.#varint();
    return new Long(lo, hi);
  }

  uint64(): Long {
    const { lo, hi } = this.#varint();
    return new Long(lo, hi, true);
  }

  double(): number {
    const { pos } = this;
    this.pos += 8;
    return this.#view.getFloat64(pos, true);
  }

  /** Returns a view of the reply, which keeps the whole reply in memory, or a copy if the bytes will be overwritten. */
  bytes(): Uint8Array {
    const start = this.#skipDelimited();
    const view = this.#buf.subarray(start, this.pos);
    return this.#isReused ? Buffer.from(view) : view;
  }

  string(): string {
    const start = this.#skipDelimited();
    return cachedString(this.#buf, this.#view, start, this.pos);
  }

  /** Reads an entry of a `map<string, string>` into the map. */
  entry(map: Record<string, string>): void {
    const end = this.end();
    let key = "";
    let value = "";
    while (this.pos < end) {
      const tag = this.tag();
      if (tag === 10) key = this.string();
      else if (tag === 18) value = this.string();
      else if ((tag & 7) === 4 || tag === 0) break;
      else this.skip(tag & 7);
    }
    map[key] = value;
  }

  /** Skips the value of a field that is unknown or has an unexpected wire type. */
  skip(wireType: number): void {
    this.#skipper ??= new Skipper(this.#buf, this);
    this.#skipper.pos = this.pos;
    this.#skipper.skip(wireType);
    this.pos = this.#skipper.pos;
  }

  /** Skips a length-delimited value. Returns the position of its first byte. */
  #skipDelimited(): number {
    const end = this.end();
    if (end > this.len) throw new RangeError("premature EOF");
    const start = this.pos;
    this.pos = end;
    return start;
  }

  #byteAt(pos: number): number {
    if (pos >= this.len) throw new RangeError("premature EOF");
    return this.#buf[pos] as number;
  }

  #varint(): { lo: number; hi: number } {
    let { pos } = this;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byteAt(pos++);
      const bits = byte & 0x7f;
      if (shift < 28) lo |= bits << shift;
      else if (shift > 28) hi |= bits << (shift - 32);
      else {
        lo |= bits << 28;
        hi = bits >> 4;
      }
      if (byte < 0x80) {
        this.pos = pos;
        return { lo, hi };
      }
    }
    throw new Error("invalid varint");
  }
}

/** Skips values, including groups. Counts the fields of groups: skipping them takes time, although no memory. */
class Skipper extends BinaryReader {
  constructor(
    bytes: Uint8Array,
    private readonly owner: ReplyReader,
  ) {
    super(bytes);
  }

  override tag(): [number, number] {
    this.owner.count();
    return super.tag();
  }
}

/** The longest encoding of a tag and a length. */
const maxHeaderBytes = 20;

/** Returns the end of the length-delimited fields at the beginning of the bytes that are wholly in the bytes. */
export function wholeFieldsEnd(bytes: Uint8Array): number {
  const reader = new ReplyReader(bytes, 0);
  const lastHeader = bytes.length - maxHeaderBytes;
  let end = 0;
  while (end <= lastHeader) {
    const isDelimited = (reader.uint32() & 7) === 2;
    reader.pos = isDelimited ? reader.end() : bytes.length + 1;
    if (reader.pos > bytes.length) break;
    end = reader.pos;
  }
  return end;
}
