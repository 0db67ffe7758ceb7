import { invalidArchive } from "../archive-errors.js";
import { checkSize, toTimeMs } from "./header.js";

/** Values from the headers before an entry. They override those of its own header, which has limited space. */
export interface Overrides {
  path?: string;
  linkpath?: string;
  size?: number;
  mtimeMs?: number;
}

/** The end of an error message. Some tar programs, such as bsdtar, leave out the holes of a file by default. */
export const sparse = "a sparse file, which is not supported; fill its holes first, as cp --sparse=never does";

/**
 * Parses the records of a PAX header. Each record is its length, a space, `key=value` and a line feed. Ignores owners, extended
 * attributes and unknown keys.
 *
 * @throws CriError `INVALID_RESPONSE`
 */
export function parsePax(body: Buffer): Overrides {
  const overrides: Overrides = {};
  for (let start = 0; start < body.length; ) {
    const [digits = ""] = /^\d*/.exec(body.toString("latin1", start, start + 10)) ?? [];
    const end = start + Number(digits);
    const record = body.toString("latin1", start + digits.length, end);
    const [, key, value] = /^ ([^=]+)=(.*)\n$/s.exec(record) ?? [];
    if (end > body.length || key === undefined || value === undefined)
      throw invalidArchive("has a malformed PAX header");
    apply(overrides, key, value);
    start = end;
  }
  return overrides;
}

function apply(overrides: Overrides, key: string, value: string): void {
  if (key.startsWith("GNU.sparse."))
    throw invalidArchive("has a sparse file, which is not supported; let tar write it in full");
  if (key === "path" || key === "linkpath") {
    if (value.includes("\0")) throw invalidArchive("has a NUL in a name");
    overrides[key] = value;
  }
  if (key === "size") overrides.size = checkSize(numberOf(key, value));
  if (key === "mtime") overrides.mtimeMs = toTimeMs(numberOf(key, value));
}

function numberOf(key: string, value: string): number {
  if (/^-?\d+(\.\d*)?$/.test(value)) return Number(value);
  throw invalidArchive(`has a PAX header whose ${key} is not a number: ${JSON.stringify(value.slice(0, 100))}`);
}
