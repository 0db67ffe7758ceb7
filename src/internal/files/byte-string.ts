/**
 * File names as strings with one character per byte. A name on Linux can have any bytes but `/` and NUL. Decoding names that are
 * not UTF-8 could turn two different names into the same string.
 *
 * @module
 */

/** Encodes a string as a byte string of its UTF-8. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Decodes a byte string as UTF-8. Invalid bytes become U+FFFD. */
export function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Quotes a name for an error message, at most 200 characters of it. */
export function quoted(bytes: string): string {
  return JSON.stringify(toText(bytes.slice(0, 800)).slice(0, 200));
}
