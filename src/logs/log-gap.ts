import type { CriError } from "../errors.js";

/**
 * Why something of a log was left out.
 *
 * | reason | what was left out |
 * |---|---|
 * | `malformed` | a line in neither CRI's format nor Docker's, a blank one for example |
 * | `tooLong` | a line in Docker's format that is longer than `maxLineBytes`: its JSON has to be read as a whole |
 * | `zeros` | zero bytes, as a crash or a truncation in place leaves them; a line behind them is read |
 * | `unreadable` | a rotated file, or the rest of it: it is corrupt, or access is denied (`error`) |
 * | `lost` | what followed the position in `after`: its file was removed or truncated. Reading begins with what was written next |
 */
export type GapReason = "malformed" | "tooLong" | "zeros" | "unreadable" | "lost";

/** Something of a log that was left out, and where. */
export interface LogGap {
  reason: GapReason;
  /** The file, on this machine. */
  path: string;
  /** Where in the file it begins, in bytes; in a compressed file, of what it decompresses to. */
  offset: number;
  /** How long it is, as far as that is known. Of a very long line, only the beginning is counted. */
  bytes?: number | undefined;
  /** Why a file is `unreadable`. */
  error?: CriError | undefined;
}

/** Takes gaps as they are found. */
export type ReportGap = (gap: LogGap) => void;
