import { readdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { CriError } from "../errors.js";
import { isCompressed, unzip } from "./compressed.js";
import { skipZeros } from "./line-splitter.js";
import { isMissing, logFailure } from "./log-failure.js";
import { type LogFile, openIfThere } from "./log-file.js";
import { compareMarks, headBytes, markIn } from "./mark.js";
import type { ReadSettings } from "./read-options.js";

/** A file that a log was rotated to. */
export interface RotatedFile {
  /** The name that it had when it was listed. It may have another one by now. */
  readonly path: string;
  readonly mark: string;
  readonly modifiedNs: bigint;
}

/** An open rotated file. */
export interface RotatedContent {
  readonly file: LogFile;
  readonly isCompressed: boolean;
}

/** How often a file is looked up again that was renamed between listing and opening. */
const maxLookUps = 5;

/** How much is read first of what the mark of a file is made of, in bytes. */
const firstHeadBytes = 8 * 1024;

/**
 * The files that a log was rotated to. They are recognised by a name that begins with that of the log, and identified by their
 * mark: names shift with every rotation, and compressing makes another file.
 */
export class RotatedFiles {
  readonly #log: string;
  readonly #settings: Pick<ReadSettings, "format" | "onGap">;
  readonly #signal: AbortSignal;
  /** What is known of files that have not changed since the last listing. */
  #known = new Map<string, RotatedFile | undefined>();

  /** @param log the path of the log after all symbolic links */
  constructor(log: string, settings: Pick<ReadSettings, "format" | "onGap">, signal: AbortSignal) {
    this.#log = log;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** The files that exist now, oldest first. Unreadable ones are reported and left out. @throws CriError */
  async list(): Promise<RotatedFile[]> {
    // Nothing identifies a file of plain lines.
    if (this.#settings.format) return [];
    let names = await this.#names();
    for (let attempt = 1; ; attempt++) {
      const files = await this.#identifyAll(names);
      const namesNow = await this.#names();
      // Names that shift meanwhile, as Docker's do, would hide a file.
      if (attempt === maxLookUps || isSame(names, namesNow)) {
        return files.sort((a, b) => compareMarks(a.mark, b.mark) || Number(a.modifiedNs - b.modifiedNs));
      }
      names = namesNow;
    }
  }

  /** The names of the rotated files, each with the inode that it leads to. */
  async #names(): Promise<Map<string, bigint>> {
    const folder = dirname(this.#log);
    const all = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw logFailure(this.#log, error);
    });
    const names = new Map<string, bigint>();
    for (const name of all.filter((it) => isRotatedName(it, basename(this.#log)))) {
      const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
      if (found?.isFile()) names.set(name, found.ino);
    }
    return names;
  }

  async #identifyAll(names: ReadonlyMap<string, bigint>): Promise<RotatedFile[]> {
    const known = new Map<string, RotatedFile | undefined>();
    const files = new Map<string, RotatedFile>();
    for (const name of names.keys()) {
      // While a file is compressed, both are there, and the new one is incomplete.
      if (name.endsWith(".gz") && names.has(name.slice(0, -3))) continue;
      this.#signal.throwIfAborted();
      const file = await this.#identify(join(dirname(this.#log), name), known);
      if (file) files.set(file.mark, file);
    }
    this.#known = known;
    return [...files.values()];
  }

  /** Opens a file, whatever its name is by now; undefined when it is gone. */
  async open(wanted: RotatedFile): Promise<RotatedContent | undefined> {
    let candidate: RotatedFile | undefined = wanted;
    for (let lookUp = 0; candidate && lookUp < maxLookUps; lookUp++) {
      const content = await openContent(candidate.path);
      if (content) {
        if ((await markOfContent(content, this.#signal)) === wanted.mark) return content;
        await content.file.close();
      }
      candidate = (await this.list()).find(({ mark }) => mark === wanted.mark);
    }
    return undefined;
  }

  async #identify(path: string, known: Map<string, RotatedFile | undefined>): Promise<RotatedFile | undefined> {
    let failure: CriError | undefined;
    try {
      const found = await stat(path, { bigint: true });
      const key = `${path} ${found.ino} ${found.size} ${found.mtimeNs}`;
      if (this.#known.has(key)) {
        known.set(key, this.#known.get(key));
        return known.get(key);
      }
      known.set(key, undefined);
      const mark = await this.#readMark(path);
      const file = mark === undefined ? undefined : { path, mark, modifiedNs: found.mtimeNs };
      known.set(key, file);
      // An empty file that is not compressed has just been made.
      if (file || (found.size === 0n && !path.endsWith(".gz"))) return file;
      failure = new CriError({ code: "DATA_LOSS", message: `${path} is empty, or no line of it is a log line` });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (isMissing(error)) return undefined;
      failure = error instanceof CriError ? error : logFailure(path, error);
    }
    this.#settings.onGap({ reason: "unreadable", path, offset: 0, error: failure });
    return undefined;
  }

  async #readMark(path: string): Promise<string | undefined> {
    const content = await openContent(path);
    try {
      return content && (await markOfContent(content, this.#signal));
    } finally {
      await content?.file.close();
    }
  }
}

/** The mark of an open log file; undefined while its first line is incomplete. */
export async function markOf(file: LogFile): Promise<string | undefined> {
  for (const bytes of [firstHeadBytes, headBytes]) {
    const { head } = await file.head(bytes);
    const mark = markIn(head);
    if (mark !== undefined || head.length < bytes) return mark;
  }
  return undefined;
}

function markOfContent({ file, isCompressed }: RotatedContent, signal: AbortSignal): Promise<string | undefined> {
  return isCompressed ? markOfCompressed(file, signal) : markOf(file);
}

async function markOfCompressed(file: LogFile, signal: AbortSignal): Promise<string | undefined> {
  let head = Buffer.alloc(0);
  for await (const chunk of unzip(file, signal)) {
    const bytes = Buffer.concat([head, chunk]);
    head = bytes.subarray(skipZeros(bytes, 0, bytes.length));
    const mark = markIn(head);
    if (mark !== undefined || head.length > headBytes) return mark;
  }
  return undefined;
}

async function openContent(path: string): Promise<RotatedContent | undefined> {
  const file = await openIfThere(path);
  if (!file) return undefined;
  try {
    return { file, isCompressed: await isCompressed(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function isSame(names: ReadonlyMap<string, bigint>, others: ReadonlyMap<string, bigint>): boolean {
  return names.size === others.size && [...names].every(([name, inode]) => others.get(name) === inode);
}

/**
 * Whether a file is a rotated one of a log, by their names: `0.log.20261128-100000.gz`, `0.log.1`, `0.log-20261128`, `0.log.old`, or
 * `0-20261128.log`, as logrotate's option `extension` has it. Names ending in `.tmp` are being written by who compresses. A log whose
 * name has no extension may be the beginning of another log's name, so its suffix has to begin with a digit or be `old`.
 */
function isRotatedName(name: string, log: string): boolean {
  if (name.endsWith(".tmp")) return false;
  const extension = extname(log);
  if (name.startsWith(log)) {
    const suffix = name.slice(log.length);
    return extension === "" ? /^[.\-_~](\d|old)/.test(suffix) : /^[.\-_~]/.test(suffix);
  }
  const stem = basename(log, extension);
  return (
    extension !== "" && name.startsWith(`${stem}-`) && /^-\d[\d.T_-]*$/.test(stemOf(name, extension).slice(stem.length))
  );
}

/** A name without its extension, and without that of compression behind it. */
function stemOf(name: string, extension: string): string {
  return basename(basename(name, ".gz"), extension);
}
