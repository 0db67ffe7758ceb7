/*
 * The same texts come again and again: keys of labels, names of images, namespaces. One that has been met before is found by its
 * bytes, faster than it would be made, and is in memory only once.
 */

/** Longer ones are rarely the same. */
const longest = 80;

const slotCount = 4_096;
const slots: (string | undefined)[] = new Array<undefined>(slotCount).fill(undefined);

/** The text of some bytes in UTF-8. Bytes that are none become U+FFFD, as everywhere on the web. */
export function sharedText(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > longest) return bytes.toString("utf8", start, end);
  let hash = length;
  for (let index = start; index < end; index++) hash = (Math.imul(hash, 31) + (bytes[index] as number)) | 0;
  const slot = (hash ^ (hash >>> 15)) & (slotCount - 1);
  const known = slots[slot];
  if (known?.length === length && isAt(bytes, start, known)) return known;
  const text = bytes.toString("utf8", start, end);
  slots[slot] = text;
  return text;
}

/** Only of a text without other characters than those of ASCII. */
function isAt(bytes: Buffer, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
