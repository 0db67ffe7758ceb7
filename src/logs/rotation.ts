import { dirname } from "node:path";
import { fileState, type LogFile } from "./log-file.js";
import { rotatedFiles, unzippedSize } from "./rotated.js";

/** Of the rotated files those that were written before a file, oldest first. The file itself may have been rotated by now. */
export async function writtenBefore(file: LogFile): Promise<string[]> {
  const rotated = await rotatedFiles(file.path);
  const own = await placeOf(file, rotated);
  return own < 0 ? rotated : rotated.slice(0, own);
}

/**
 * What was rotated away unseen: the files that were written after one and before another. The first is found by its inode;
 * once it has been compressed, it is the oldest new name if what is compressed there is as long as it was.
 *
 * @param before what had been written before the first file when that was opened
 */
export async function writtenBetween(first: LogFile, next: LogFile, before: readonly string[]): Promise<string[]> {
  if (dirname(first.path) !== dirname(next.path)) return [];
  const rotated = (await writtenBefore(next)).filter((path) => !before.includes(path));
  const own = await placeOf(first, rotated);
  if (own >= 0) return rotated.slice(own + 1);
  const [oldest] = rotated;
  const isFirst = oldest !== undefined && (await unzippedSize(oldest)) === first.position % 2 ** 32;
  return isFirst ? rotated.slice(1) : rotated;
}

async function placeOf(file: LogFile, paths: readonly string[]): Promise<number> {
  for (const [index, path] of paths.entries()) {
    if ((await fileState(path))?.id === file.id) return index;
  }
  return -1;
}
