/*
 * The same texts come again and again: keys of labels, names of images, namespaces. One that has been met before is found by its
 * bytes, four at a time: faster than it would be made, and it is in memory only once.
 */

/** Longer ones are rarely the same, and shorter ones made at once. */
const longest = 80;
const shortest = 4;

/** More do not fit into the processor's own memory, and are slower. */
const slotBits = 11;

interface Known {
  readonly text: string;
  /** How many bytes it has. */
  readonly length: number;
  /** The bytes, but for the last ones if they fill no word. */
  readonly words: Uint32Array;
  /** The last four bytes. */
  readonly last: number;
}

const slots: (Known | undefined)[] = new Array<undefined>(2 ** slotBits).fill(undefined);

/** The hash of what was last looked for in each slot: a text is kept when it comes for the second time. */
const seen = new Int32Array(2 ** slotBits);

/** The text of some bytes in UTF-8, through two views of them. Bytes that are none become U+FFFD, as everywhere on the web. */
export function sharedText(bytes: Buffer, view: DataView, start: number, end: number): string {
  const length = end - start;
  if (length < shortest) return length === 0 ? "" : shortText(bytes, start, end);
  if (length > longest) return bytes.toString("utf8", start, end);
  const first = view.getUint32(start, true);
  const middle = view.getUint32(start + ((length - 4) >> 1), true);
  const last = view.getUint32(end - 4, true);
  const hash = Math.imul(first ^ Math.imul(last, 0x85ebca6b) ^ Math.imul(middle, 0xc2b2ae35), 0x9e3779b1) ^ length;
  const slot = hash >>> (32 - slotBits);
  const known = slots[slot];
  if (known !== undefined && known.last === last && known.length === length) {
    const { words } = known;
    let index = 0;
    while (index < words.length && words[index] === view.getUint32(start + 4 * index, true)) index++;
    if (index === words.length) return known.text;
  }
  const text = bytes.toString("utf8", start, end);
  if (seen[slot] === hash) slots[slot] = { text, length, words: wordsOf(view, start, length), last };
  seen[slot] = hash;
  return text;
}

function wordsOf(view: DataView, start: number, length: number): Uint32Array {
  return Uint32Array.from({ length: length >> 2 }, (_, index) => view.getUint32(start + 4 * index, true));
}

const letters = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));

function shortText(bytes: Buffer, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) {
    const letter = letters[bytes[index] as number];
    if (letter === undefined) return bytes.toString("utf8", start, end);
    text += letter;
  }
  return text;
}
