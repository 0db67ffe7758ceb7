import { randomUUID } from "node:crypto";
import { InvalidInputError } from "../errors.js";

/**
 * Parses JSON text. Integers of 16 to 20 digits become a `bigint`, because `JSON.parse` rounds them to the nearest double.
 * Nanoseconds since 1970 have 19 digits, and no 64-bit number has more than 20.
 *
 * @throws InvalidInputError for malformed JSON; the error does not quote the text, which may contain secrets
 */
export function parseExactly(text: string): unknown {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const position = /position (\d+)/.exec((error as Error).message)?.[1];
    const where = position === undefined ? "" : ` at character ${position}`;
    throw new InvalidInputError({ field: "json", message: `is malformed JSON${where}` });
  }
  return /\d{16}/.test(text) ? parseLargeIntegers(text) : data;
}

/** Parses large integers as strings with a random prefix, which the author of the text cannot guess. */
function parseLargeIntegers(text: string): unknown {
  const prefix = `${randomUUID()}:`;
  const revive = (_: string, value: unknown) =>
    typeof value === "string" && value.startsWith(prefix) ? BigInt(value.slice(prefix.length)) : value;
  try {
    return JSON.parse(quoteLargeIntegers(text, prefix), revive);
  } catch {
    throw new InvalidInputError({ field: "json", message: "is nested too deeply" });
  }
}

/**
 * Puts large integers in quotes. Skips strings by searching for quotes, because a regular expression overflows the stack for
 * long strings.
 */
function quoteLargeIntegers(text: string, prefix: string): string {
  const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  const quote = (token: string) => (/^-?\d{16,20}$/.test(token) ? `"${prefix}${token}"` : token);
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const start = text.indexOf('"', at);
    if (start === -1) return parts.join("") + text.slice(at).replace(number, quote);
    const end = endOfString(text, start);
    parts.push(text.slice(at, start).replace(number, quote), text.slice(start, end));
    at = end;
  }
  return parts.join("");
}

/** Returns the index after the closing quote, which is the first one with an even number of backslashes before it. */
function endOfString(text: string, start: number): number {
  let close = start;
  let backslashes: number;
  do {
    close = text.indexOf('"', close + 1);
    backslashes = 0;
    while (text[close - 1 - backslashes] === "\\") backslashes++;
  } while (backslashes % 2 === 1);
  return close + 1;
}

/** Writes JSON text in which a `bigint` is a number with all its digits. */
export function stringifyExactly(data: unknown, indent?: number): string {
  const prefix = `${randomUUID()}:`;
  const replace = (_: string, value: unknown) => (typeof value === "bigint" ? `${prefix}${value}` : value);
  return JSON.stringify(data, replace, indent).replace(new RegExp(`"${prefix}(-?\\d+)"`, "g"), "$1");
}
