import { type LogFile, openIfThere } from "./log-file.js";
import type { ReadSettings } from "./read-options.js";
import { compressedName, unzip } from "./rotated.js";
import type { LogSelection } from "./selection.js";
import { TailSearch, type TailStart } from "./tail.js";

/** A rotated file and where to begin in it. */
export interface RotatedStart extends TailStart {
  path: string;
}

/** Where reading a log begins. */
export interface LogStart {
  /** The rotated files to read before, oldest first. */
  rotated: readonly RotatedStart[];
  current: TailStart;
}

/** Where to begin for the last lines that were asked for, or for all. */
export async function startOf(
  file: LogFile,
  older: readonly string[],
  settings: ReadSettings,
  selection: LogSelection,
  signal: AbortSignal,
): Promise<LogStart> {
  if (settings.tailLines === Number.POSITIVE_INFINITY) {
    return { rotated: older.map((path) => ({ path, position: 0 })), current: { position: 0 } };
  }
  const search = new TailSearch(settings.tailLines, selection, settings.maxLineBytes);
  const current = await search.search(file, await file.size());
  const rotated: RotatedStart[] = [];
  for (const path of older.toReversed()) {
    if (search.left === 0) break;
    signal.throwIfAborted();
    rotated.unshift({ path, ...(await searchRotated(search, path, signal)) });
  }
  selection.skip(search.skip);
  return { rotated, current };
}

async function searchRotated(search: TailSearch, path: string, signal: AbortSignal): Promise<TailStart> {
  const file = await openIfThere(path);
  if (!file) {
    await search.searchForward(path, unzip(compressedName(path), signal));
    return { position: 0 };
  }
  try {
    return await search.search(file, await file.size());
  } finally {
    await file.close();
  }
}
