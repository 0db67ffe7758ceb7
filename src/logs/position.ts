import { InvalidInputError } from "../errors.js";

/** A place in a file that its mark identifies (see {@link markIn}). */
export interface Place {
  readonly mark: string;
  /** In bytes; in a compressed file, of what it decompresses to. */
  readonly offset: number;
}

/** What the position of an entry says. */
export interface LogPosition extends Place {
  /**
   * Where to start reading: before the first part of a line of the other stream that had not ended. Entries up to the place itself
   * have been given out.
   */
  readonly from: Place;
}

const version = "1";
const pattern = /^1\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15})(?:\.([0-9a-z]{7,20}\.[\w-]{8})\.(\d{1,15}))?$/;

/** The mark of a file of which no line was recognised. A position in it is never found again. */
export const noMark = "0000000.unknown_";

/** What the positions of a file begin with; the offset follows. */
export function positionPrefix(mark: string | undefined): string {
  return `${version}.${mark ?? noMark}.`;
}

/** What is added to a position while a line of the other stream has not ended. */
export function positionSuffix({ mark, offset }: Place): string {
  return `.${mark}.${offset}`;
}

/** Reads the position of an entry. @throws InvalidInputError */
export function parsePosition(field: string, text: string): LogPosition {
  const match = typeof text === "string" ? pattern.exec(text) : null;
  if (!match) {
    const message = "must be the `position` of a log entry of this package";
    throw new InvalidInputError({ field, message, value: text });
  }
  const [, mark = "", offset = "", fromMark = mark, fromOffset = offset] = match;
  return { mark, offset: Number(offset), from: { mark: fromMark, offset: Number(fromOffset) } };
}
