/**
 * File names as strings of one character per byte. A name on Linux is any bytes but `/` and NUL, and need not be UTF-8: decoded as
 * text, two names could become the same one.
 *
 * @module
 */

/** A string as the bytes of its UTF-8. */
export function toByteString(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Bytes as text. Bytes that are not UTF-8 become U+FFFD. */
export function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** A name in quotes for an error message, at most 200 characters of it. */
export function quoted(bytes: string): string {
  return JSON.stringify(toText(bytes.slice(0, 800)).slice(0, 200));
}
