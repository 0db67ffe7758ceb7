/*
 * The same texts come again and again: keys of labels, names of images, namespaces. One that has been met before is found by its
 * bytes, four at a time: faster than it would be made, and it is in memory only once.
 */

/** Longer ones are rarely the same, and shorter ones made at once. */
const longest = 80;
const shortest = 4;

/** More do not fit into the processor's own memory, and are slower. */
const slotBits = 11;

/*
 * What is kept of a text in each slot, in arrays of their own: to keep one must not make anything, for texts that come twice and never
 * again, such as the uid of a pod, are many.
 */
const texts: (string | undefined)[] = new Array<undefined>(2 ** slotBits).fill(undefined);
const lengths = new Uint8Array(2 ** slotBits);
/** The bytes, four at a time, but for the last ones if they fill no word. */
const words = new Uint32Array((longest / 4) * 2 ** slotBits);
/** The last four bytes. */
const lasts = new Uint32Array(2 ** slotBits);

/** The hash of what was last looked for in each slot: a text is kept when it comes for the second time. */
const seen = new Int32Array(2 ** slotBits);

/** The text of some bytes in UTF-8, through two views of them. Bytes that are none become U+FFFD, as everywhere on the web. */
export function cachedString(bytes: Buffer, view: DataView, start: number, end: number): string {
  const length = end - start;
  if (length < shortest) return length === 0 ? "" : shortText(bytes, start, end);
  if (length > longest) return textOf(bytes, start, end);
  const first = view.getUint32(start, true);
  const middle = view.getUint32(start + ((length - 4) >> 1), true);
  const last = view.getUint32(end - 4, true);
  const hash = Math.imul(first ^ Math.imul(last, 0x85ebca6b) ^ Math.imul(middle, 0xc2b2ae35), 0x9e3779b1) ^ length;
  const slot = hash >>> (32 - slotBits);
  const firstWord = slot * (longest / 4);
  if (lasts[slot] === last && lengths[slot] === length) {
    let word = firstWord;
    let index = start;
    while (index + 4 <= end && words[word] === view.getUint32(index, true)) {
      word++;
      index += 4;
    }
    if (index + 4 > end) return texts[slot] as string;
  }
  const text = textOf(bytes, start, end);
  if (seen[slot] !== hash) seen[slot] = hash;
  else {
    texts[slot] = text;
    lengths[slot] = length;
    lasts[slot] = last;
    for (let index = start, word = firstWord; index + 4 <= end; index += 4) words[word++] = view.getUint32(index, true);
  }
  return text;
}

/** What `toString` comes to after a look at its arguments, which are known to be good here. Node.js does not document it. */
const { utf8Slice } = Buffer.prototype as { utf8Slice?: (this: Buffer, start: number, end: number) => string };

function textOf(bytes: Buffer, start: number, end: number): string {
  return utf8Slice ? utf8Slice.call(bytes, start, end) : bytes.toString("utf8", start, end);
}

const letters = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));

function shortText(bytes: Buffer, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) {
    const letter = letters[bytes[index] as number];
    if (letter === undefined) return textOf(bytes, start, end);
    text += letter;
  }
  return text;
}
