import { unzip } from "./compressed.js";
import type { FileStart, RotatedStart } from "./file-start.js";
import { compareFingerprints } from "./fingerprint.js";
import type { LineFilter } from "./line-filter.js";
import type { LogFile } from "./log-file.js";
import type { ReportGap } from "./log-gap.js";
import type { FilePosition, LogPosition } from "./log-position.js";
import type { ReadSettings } from "./read-settings.js";
import type { RotatedFile, RotatedFiles } from "./rotated-files.js";
import { TailSearch } from "./tail-search.js";

/** Where reading a log starts. */
export interface LogStart {
  /** The rotated files to read before the current one, oldest first. */
  rotated: readonly RotatedStart[];
  current: FileStart;
  /** Entries up to this position were emitted before; reading starts earlier to complete an unfinished line. */
  after?: LogPosition | undefined;
}

/** Finds the start for the requested number of last lines, or for all lines. */
export async function startAtTail(
  file: LogFile,
  older: readonly RotatedFile[],
  files: RotatedFiles,
  settings: ReadSettings,
  filter: LineFilter,
  signal: AbortSignal,
): Promise<LogStart> {
  const { tailLines, maxLineBytes, format } = settings;
  if (tailLines === Number.POSITIVE_INFINITY) return { rotated: older.map(wholeFile), current: { position: 0 } };
  const search = new TailSearch(tailLines, filter, maxLineBytes, format);
  const current = await search.search(file, await file.size());
  const rotated: RotatedStart[] = [];
  for (const candidate of older.toReversed()) {
    if (search.left === 0) break;
    signal.throwIfAborted();
    rotated.unshift({ ...candidate, ...(await searchRotated(search, candidate, files, signal)) });
  }
  filter.skip(search.skip);
  return { rotated, current };
}

/** Finds the start behind a position. If its file was removed, reports it as lost and starts with the oldest newer file. */
export function startAfter(
  position: LogPosition,
  older: readonly RotatedFile[],
  current: { path: string; fingerprint: string | undefined; size: number },
  onGap: ReportGap,
): LogStart {
  const { from, ...end } = position;
  const fingerprints = [...older.map(({ fingerprint }) => fingerprint), current.fingerprint];
  const exists = ({ fingerprint, offset }: FilePosition) =>
    fingerprints.includes(fingerprint) && !(fingerprint === current.fingerprint && offset > current.size);
  if (!exists(end)) {
    onGap({ reason: "lost", path: current.path, offset: end.offset });
    const newer = older.filter(({ fingerprint }) => compareFingerprints(fingerprint, end.fingerprint) > 0);
    return { rotated: newer.map(wholeFile), current: { position: 0 } };
  }
  if (!exists(from)) onGap({ reason: "lost", path: current.path, offset: from.offset });
  const begin = exists(from) ? from : end;
  const after = begin.fingerprint === end.fingerprint && begin.offset === end.offset ? undefined : position;
  const [first, ...rest] = older.slice(fingerprints.indexOf(begin.fingerprint));
  if (!first) return { rotated: [], current: { position: begin.offset }, after };
  return {
    rotated: [{ ...first, position: begin.offset }, ...rest.map(wholeFile)],
    current: { position: 0 },
    after,
  };
}

const wholeFile = (file: RotatedFile): RotatedStart => ({ ...file, position: 0 });

async function searchRotated(
  search: TailSearch,
  rotated: RotatedFile,
  files: RotatedFiles,
  signal: AbortSignal,
): Promise<FileStart> {
  const opened = await files.open(rotated);
  if (!opened) return { position: 0 };
  const { file, isCompressed } = opened;
  try {
    if (!isCompressed) return await search.search(file, await file.size());
    // Corrupt data is reported when the file is read.
    await search.searchForward(rotated.path, unzip(file, signal)).catch(() => signal.throwIfAborted());
    return { position: 0 };
  } finally {
    await file.close();
  }
}
