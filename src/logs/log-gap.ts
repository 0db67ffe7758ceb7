import type { CriError } from "../errors.js";

/**
 * Why a part of a log was omitted.
 *
 * | reason | omitted part |
 * |---|---|
 * | `malformed` | a line in neither CRI's format nor Docker's, for example an empty one |
 * | `tooLong` | a line in Docker's format that is longer than `maxLineBytes`: its JSON has to be read as a whole |
 * | `zeros` | zero bytes, which a crash or a truncation in place leaves; a line behind them is read |
 * | `unreadable` | a rotated file, or the rest of it: it is corrupt, or access is denied (`error`) |
 * | `lost` | the lines behind the position in `after`, because its file was removed or truncated. Reading starts with newer lines |
 */
export type GapReason = "malformed" | "tooLong" | "zeros" | "unreadable" | "lost";

/** A part of a log that was omitted. */
export interface LogGap {
  reason: GapReason;
  /** The file, on this machine. */
  path: string;
  /** Where in the file the part begins, in bytes. For a compressed file, the offset in its decompressed content. */
  offset: number;
  /** The length of the part in bytes, if it is known. For a very long line, only the beginning is counted. */
  bytes?: number | undefined;
  /** Why a file is `unreadable`. */
  error?: CriError | undefined;
}

/** Receives gaps in the order in which they are found. */
export type ReportGap = (gap: LogGap) => void;
