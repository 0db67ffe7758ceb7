import { InvalidInputError } from "../errors.js";

/** A place in a file, which its fingerprint identifies (see {@link fingerprintOf}). */
export interface FilePosition {
  readonly fingerprint: string;
  /** In bytes. For a compressed file, the offset in its decompressed content. */
  readonly offset: number;
}

/** The position of an entry: the place where the entry ends. */
export interface LogPosition extends FilePosition {
  /**
   * Where to resume reading: before the first part of an unfinished line of the other stream. Entries between this place and the
   * position were already emitted.
   */
  readonly from: FilePosition;
}

const version = "1";
const pattern = /^1\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15})(?:\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15}))?$/;

/** The fingerprint of a file without a recognized line. A position in it is never found again. */
export const unknownFingerprint = "0000000.unknown_";

/** Returns the beginning of all positions in a file, up to the offset. */
export function positionPrefix(fingerprint: string | undefined): string {
  return `${version}.${fingerprint ?? unknownFingerprint}.`;
}

/** Returns the end of a position while a line of the other stream is unfinished. */
export function positionSuffix({ fingerprint, offset }: FilePosition): string {
  return `.${fingerprint}.${offset}`;
}

/** Parses the position of an entry. @throws InvalidInputError */
export function parsePosition(field: string, position: string): LogPosition {
  const match = typeof position === "string" ? pattern.exec(position) : null;
  if (!match) {
    const message = "must be the `position` of a log entry of this package";
    throw new InvalidInputError({ field, message, value: position });
  }
  const [, fingerprint = "", offset = "", fromFingerprint = fingerprint, fromOffset = offset] = match;
  return { fingerprint, offset: Number(offset), from: { fingerprint: fromFingerprint, offset: Number(fromOffset) } };
}
