import { invalidArchive } from "../archive-errors.js";
import { sizeOf, timeOf } from "./header.js";

/** What headers before an entry say of it, in place of what its own header has no room for. */
export interface Overrides {
  path?: string;
  linkpath?: string;
  size?: number;
  mtimeMs?: number;
}

/** Some tars, such as bsdtar, leave the holes of a file out without being asked to. */
export const sparse = "a sparse file, which is not supported; fill its holes first, as cp --sparse=never does";

/**
 * Parses the records of a PAX header: each is its length, a space, `key=value` and a line feed. Owners, extended attributes and
 * unknown keys are left out.
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
    take(overrides, key, value);
    start = end;
  }
  return overrides;
}

function take(overrides: Overrides, key: string, value: string): void {
  if (key.startsWith("GNU.sparse."))
    throw invalidArchive("has a sparse file, which is not supported; let tar write it in full");
  if (key === "path" || key === "linkpath") {
    if (value.includes("\0")) throw invalidArchive("has a NUL in a name");
    overrides[key] = value;
  }
  if (key === "size") overrides.size = sizeOf(numberOf(key, value));
  if (key === "mtime") overrides.mtimeMs = timeOf(numberOf(key, value));
}

function numberOf(key: string, value: string): number {
  if (/^-?\d+(\.\d*)?$/.test(value)) return Number(value);
  throw invalidArchive(`has a PAX header whose ${key} is not a number: ${JSON.stringify(value.slice(0, 100))}`);
}
