/*
 * Replies repeat many strings: keys of labels, names of images, namespaces. The cache looks up a string by its bytes, four at a
 * time. A lookup is faster than decoding the string again, and only one copy of the string stays in memory.
 */

/** The lengths of the strings to cache, in bytes. Longer strings are rarely repeated, and shorter ones are decoded quickly. */
const maxBytes = 80;
const minBytes = 4;

/** A larger cache is slower, because it does not fit into the processor's cache. */
const slotBits = 11;

/* The slots are preallocated, so caching a string allocates nothing. Most strings, such as pod uids, occur only twice. */
const strings: (string | undefined)[] = new Array<undefined>(2 ** slotBits).fill(undefined);
const lengths = new Uint8Array(2 ** slotBits);
/** The bytes of each string as 32-bit words, without the remaining bytes after the last full word. */
const words = new Uint32Array((maxBytes / 4) * 2 ** slotBits);
/** The last four bytes of each string. */
const endings = new Uint32Array(2 ** slotBits);

/** The hash of the last string that was looked up in each slot. A string is cached when it occurs for the second time. */
const lastHashes = new Int32Array(2 ** slotBits);

/** Decodes UTF-8, given two views of the same bytes. Invalid bytes become U+FFFD. */
export function cachedString(bytes: Buffer, view: DataView, start: number, end: number): string {
  const length = end - start;
  if (length < minBytes) return length === 0 ? "" : decodeShort(bytes, start, end);
  if (length > maxBytes) return decode(bytes, start, end);
  const first = view.getUint32(start, true);
  const middle = view.getUint32(start + ((length - 4) >> 1), true);
  const last = view.getUint32(end - 4, true);
  const hash = Math.imul(first ^ Math.imul(last, 0x85ebca6b) ^ Math.imul(middle, 0xc2b2ae35), 0x9e3779b1) ^ length;
  const slot = hash >>> (32 - slotBits);
  const firstWord = slot * (maxBytes / 4);
  if (endings[slot] === last && lengths[slot] === length) {
    let word = firstWord;
    let index = start;
    while (index + 4 <= end && words[word] === view.getUint32(index, true)) {
      word++;
      index += 4;
    }
    if (index + 4 > end) return strings[slot] as string;
  }
  const string = decode(bytes, start, end);
  if (lastHashes[slot] !== hash) lastHashes[slot] = hash;
  else {
    strings[slot] = string;
    lengths[slot] = length;
    endings[slot] = last;
    for (let index = start, word = firstWord; index + 4 <= end; index += 4) words[word++] = view.getUint32(index, true);
  }
  return string;
}

/** `toString` without the checks of its arguments, which are always valid here. Node.js does not document it. */
const { utf8Slice } = Buffer.prototype as { utf8Slice?: (this: Buffer, start: number, end: number) => string };

function decode(bytes: Buffer, start: number, end: number): string {
  return utf8Slice ? utf8Slice.call(bytes, start, end) : bytes.toString("utf8", start, end);
}

const characters = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));

function decodeShort(bytes: Buffer, start: number, end: number): string {
  let string = "";
  for (let index = start; index < end; index++) {
    const character = characters[bytes[index] as number];
    if (character === undefined) return decode(bytes, start, end);
    string += character;
  }
  return string;
}
