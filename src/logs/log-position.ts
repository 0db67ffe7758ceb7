import { InvalidInputError } from "../errors.js";

/** A place in a file that its fingerprint identifies (see {@link fingerprintOf}). */
export interface FilePosition {
  readonly fingerprint: string;
  /** In bytes; in a compressed file, of what it decompresses to. */
  readonly offset: number;
}

/** What the position of an entry says. */
export interface LogPosition extends FilePosition {
  /**
   * Where to start reading: before the first part of a line of the other stream that had not ended. Entries up to the place itself
   * have been given out.
   */
  readonly from: FilePosition;
}

const version = "1";
const pattern = /^1\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15})(?:\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15}))?$/;

/** The fingerprint of a file of which no line was recognised. A position in it is never found again. */
export const unknownFingerprint = "0000000.unknown_";

/** What the positions of a file begin with; the offset follows. */
export function positionPrefix(fingerprint: string | undefined): string {
  return `${version}.${fingerprint ?? unknownFingerprint}.`;
}

/** What is added to a position while a line of the other stream has not ended. */
export function positionSuffix({ fingerprint, offset }: FilePosition): string {
  return `.${fingerprint}.${offset}`;
}

/** Reads the position of an entry. @throws InvalidInputError */
export function parsePosition(field: string, text: string): LogPosition {
  const match = typeof text === "string" ? pattern.exec(text) : null;
  if (!match) {
    const message = "must be the `position` of a log entry of this package";
    throw new InvalidInputError({ field, message, value: text });
  }
  const [, fingerprint = "", offset = "", fromFingerprint = fingerprint, fromOffset = offset] = match;
  return { fingerprint, offset: Number(offset), from: { fingerprint: fromFingerprint, offset: Number(fromOffset) } };
}
