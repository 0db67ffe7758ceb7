import { unzip } from "./compressed.js";
import type { ReportGap } from "./gap.js";
import type { LogFile } from "./log-file.js";
import type { FileStart } from "./log-reader.js";
import { compareMarks } from "./mark.js";
import type { LogPosition, Place } from "./position.js";
import type { ReadSettings } from "./read-options.js";
import type { RotatedFile, RotatedFiles } from "./rotated.js";
import type { LogSelection } from "./selection.js";
import { TailSearch } from "./tail.js";

/** A rotated file and where to begin in it. */
export interface RotatedStart extends RotatedFile, FileStart {}

/** Where reading a log begins. */
export interface LogStart {
  /** The rotated files to read before, oldest first. */
  rotated: readonly RotatedStart[];
  current: FileStart;
  /** Reading begins before this position: the entries up to it have been given out. */
  after?: LogPosition | undefined;
}

/** Where to begin for the last lines that were asked for, or for all. */
export async function startOf(
  file: LogFile,
  older: readonly RotatedFile[],
  files: RotatedFiles,
  settings: ReadSettings,
  selection: LogSelection,
  signal: AbortSignal,
): Promise<LogStart> {
  if (settings.tailLines === Number.POSITIVE_INFINITY) return { rotated: older.map(asWhole), current: { position: 0 } };
  const search = new TailSearch(settings.tailLines, selection, settings.maxLineBytes, settings.format);
  const current = await search.search(file, await file.size());
  const rotated: RotatedStart[] = [];
  for (const one of older.toReversed()) {
    if (search.left === 0) break;
    signal.throwIfAborted();
    rotated.unshift({ ...one, ...(await searchRotated(search, one, files, signal)) });
  }
  selection.skip(search.skip);
  return { rotated, current };
}

/** Where to begin behind a position. What cannot be found is reported as lost, and reading begins with what is newer. */
export function startBehind(
  position: LogPosition,
  older: readonly RotatedFile[],
  current: { path: string; mark: string | undefined; size: number },
  onGap: ReportGap,
): LogStart {
  const { from, ...place } = position;
  const marks = [...older.map(({ mark }) => mark), current.mark];
  const isThere = ({ mark, offset }: Place) =>
    marks.includes(mark) && !(mark === current.mark && offset > current.size);
  if (isThere(place)) {
    if (!isThere(from)) onGap({ reason: "lost", path: current.path, offset: from.offset });
    const begin = isThere(from) ? from : place;
    const index = marks.indexOf(begin.mark);
    const [first, ...rest] = older.slice(index);
    const after = begin.mark === place.mark && begin.offset === place.offset ? undefined : position;
    if (!first) return { rotated: [], current: { position: begin.offset }, after };
    return { rotated: [{ ...first, position: begin.offset }, ...rest.map(asWhole)], current: { position: 0 }, after };
  }
  onGap({ reason: "lost", path: current.path, offset: place.offset });
  const newer = older.filter(({ mark }) => compareMarks(mark, place.mark) > 0);
  return { rotated: newer.map(asWhole), current: { position: 0 } };
}

const asWhole = (file: RotatedFile): RotatedStart => ({ ...file, position: 0 });

async function searchRotated(
  search: TailSearch,
  rotated: RotatedFile,
  files: RotatedFiles,
  signal: AbortSignal,
): Promise<FileStart> {
  const content = await files.open(rotated);
  if (!content) return { position: 0 };
  const { file, isCompressed } = content;
  try {
    if (!isCompressed) return await search.search(file, await file.size());
    // What is corrupt is reported when it is read.
    await search.searchForward(rotated.path, unzip(file, signal)).catch(() => signal.throwIfAborted());
    return { position: 0 };
  } finally {
    await file.close();
  }
}
