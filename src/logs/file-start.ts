import type { LogFormat } from "./line.js";
import type { RotatedFile } from "./rotated-files.js";

/** Where reading a file starts, and the file's format if it is known. */
export interface FileStart {
  /** In bytes. */
  position: number;
  format?: LogFormat | undefined;
}

/** A rotated file and where reading it starts. */
export interface RotatedStart extends RotatedFile, FileStart {}
