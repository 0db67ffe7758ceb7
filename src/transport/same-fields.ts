/** The limit for the fields of a message that is compared field by field. Messages with more count as different. */
const maxFields = 128;

/** The ends of the fields of the last message that {@link findFields} read. Reused, because allocating it would take longer. */
const ends = new Int32Array(maxFields);
/** The fields that have been found already. */
const isTaken = new Uint8Array(maxFields);

/**
 * An encoded message, to compare with later encodings of it. It copies the bytes, so that the reply that contained them can be freed.
 */
export class EncodedMessage {
  readonly #bytes: Buffer;
  /** The end of each field; computed at the first use. */
  #ends: Int32Array | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
  }

  /**
   * Returns whether a part of other bytes has the same fields, where strings and messages may be in any order: Go encodes the
   * entries of a map in a different order each time. May return false for messages that mean the same, such as those whose nested
   * messages have maps.
   */
  hasFieldsOf(other: Buffer, start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start !== bytes.length || end > other.length) return false;
    if (other.compare(bytes, 0, bytes.length, start, end) === 0) return true;
    this.#ends ??= ends.slice(0, findFields(bytes, 0, bytes.length));
    const count = findFields(other, start, end);
    return count === this.#ends.length && this.#hasAll(this.#ends, other, start);
  }

  #hasAll(own: Int32Array, other: Buffer, start: number): boolean {
    const bytes = this.#bytes;
    const count = own.length;
    isTaken.fill(0, 0, count);
    // Most fields follow the one that was found last.
    let next = 0;
    let fieldStart = start;
    for (let index = 0; index < count; index++) {
      const length = (ends[index] as number) - fieldStart;
      const canMove = ((other[fieldStart] as number) & 7) === 2;
      if (!canMove) next = index;
      let tries = canMove ? count : 1;
      for (; tries > 0; tries--) {
        const ownStart = next === 0 ? 0 : (own[next - 1] as number);
        const isSame =
          isTaken[next] === 0 &&
          (own[next] as number) - ownStart === length &&
          areEqual(bytes, ownStart, other, fieldStart, length);
        if (isSame) break;
        next = next + 1 === count ? 0 : next + 1;
      }
      if (tries === 0) return false;
      isTaken[next] = 1;
      next = next + 1 === count ? 0 : next + 1;
      fieldStart += length;
    }
    return count > 0;
  }
}

function areEqual(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  // The keys of a map often begin alike.
  for (let index = length - 1; index >= 0; index--) if (a[aStart + index] !== b[bStart + index]) return false;
  return true;
}

/**
 * Finds the fields of a message, and writes their ends to {@link ends}. Returns their number; 0 if the message is malformed, or has
 * fields that the messages of lists do not have.
 */
function findFields(bytes: Uint8Array, start: number, end: number): number {
  let count = 0;
  let pos = start;
  while (pos < end) {
    if (count === maxFields) return 0;
    const tag = bytes[pos++] as number;
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      if (pos >= end) return 0;
      const byte = bytes[pos++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    const wireType = tag & 7;
    if (wireType === 2) pos += value;
    else if (wireType !== 0) return 0;
    // Tags of two bytes are those of fields from 16.
    if (tag >= 0x80 || pos > end) return 0;
    ends[count++] = pos;
  }
  return count;
}
