import { InvalidInputError } from "../errors.js";

/** The strings and numbers of JSON text. Strings are matched because they may contain digits. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * Parses JSON text. Integers of 16 and more digits become strings of digits, because `JSON.parse` rounds them to the nearest
 * double. Nanoseconds since 1970 have 19 digits.
 *
 * @throws InvalidInputError for malformed JSON. The error does not quote the text, which may hold secrets.
 */
export function parseExactly(text: string): unknown {
  try {
    JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const where = position === undefined ? "" : ` at character ${position}`;
    throw new InvalidInputError({ field: "json", message: `is malformed JSON${where}` });
  }
  return JSON.parse(text.replace(stringOrNumber, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token)));
}
