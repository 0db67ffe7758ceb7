/**
 * Reads files and folders that may disappear at any time, such as those of processes in /proc.
 *
 * @module
 */
import { readdirSync, readFileSync } from "node:fs";

/** Returns the content of a file. Returns an empty string if the file does not exist or cannot be read. */
export function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** Lists the names in a folder. Returns an empty list if the folder does not exist or cannot be read. */
export function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Lists the names of the folders in a folder. Returns an empty list if the folder does not exist or cannot be read. */
export function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}
