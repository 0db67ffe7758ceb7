import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CriError } from "../errors.js";
import { isCompressed } from "./compressed.js";
import { compareFingerprints, readCompressedFingerprint, readFingerprint } from "./fingerprint.js";
import { isMissing, logFailure } from "./log-failure.js";
import { type LogFile, openIfExists } from "./log-file.js";
import type { ReadSettings } from "./read-settings.js";
import { isRotatedName } from "./rotated-name.js";

/** An older file of a log. */
export interface RotatedFile {
  /** The path when it was listed. Rotations rename it. */
  readonly path: string;
  readonly fingerprint: string;
  readonly modifiedNs: bigint;
}

/** An open rotated file. */
export interface OpenRotatedFile {
  readonly file: LogFile;
  readonly isCompressed: boolean;
}

/** The maximum number of listings if files are renamed in the meantime. */
const maxListings = 5;

/**
 * Lists and opens the rotated files of a log. Their names begin with that of the log; their fingerprints identify them, because
 * names change with every rotation, and compressing creates another file.
 */
export class RotatedFiles {
  readonly #log: string;
  readonly #settings: Pick<ReadSettings, "format" | "onGap">;
  readonly #signal: AbortSignal;
  /** The files of the last listing by path, inode, size and time: unchanged files are not read again. */
  #known = new Map<string, RotatedFile | undefined>();

  /** @param log the path of the log after all symbolic links */
  constructor(log: string, settings: Pick<ReadSettings, "format" | "onGap">, signal: AbortSignal) {
    this.#log = log;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Lists the files that exist now, oldest first. Unreadable files are reported and omitted. @throws CriError */
  async list(): Promise<RotatedFile[]> {
    // Files of plain lines have no fingerprint.
    if (this.#settings.format) return [];
    let names = await this.#names();
    for (let attempt = 1; ; attempt++) {
      const files = await this.#identifyAll(names);
      const namesNow = await this.#names();
      // A rotation during the listing could hide a file, because Docker's rotations rename all files.
      if (attempt === maxListings || areSame(names, namesNow)) {
        return files.sort(
          (a, b) => compareFingerprints(a.fingerprint, b.fingerprint) || Number(a.modifiedNs - b.modifiedNs),
        );
      }
      names = namesNow;
    }
  }

  /** Returns the names of the rotated files, with their inodes. */
  async #names(): Promise<Map<string, bigint>> {
    const folder = dirname(this.#log);
    const all = await readdir(folder).catch((error: unknown) => {
      if (isMissing(error)) return [];
      throw logFailure(this.#log, error);
    });
    const names = new Map<string, bigint>();
    for (const name of all.filter((candidate) => isRotatedName(candidate, basename(this.#log)))) {
      const found = await stat(join(folder, name), { bigint: true }).catch(() => undefined);
      if (found?.isFile()) names.set(name, found.ino);
    }
    return names;
  }

  async #identifyAll(names: ReadonlyMap<string, bigint>): Promise<RotatedFile[]> {
    const known = new Map<string, RotatedFile | undefined>();
    const files = new Map<string, RotatedFile>();
    for (const name of names.keys()) {
      // While a file is being compressed, both files exist, and the compressed one is incomplete.
      if (name.endsWith(".gz") && names.has(name.slice(0, -3))) continue;
      this.#signal.throwIfAborted();
      const file = await this.#identify(join(dirname(this.#log), name), known);
      if (file) files.set(file.fingerprint, file);
    }
    this.#known = known;
    return [...files.values()];
  }

  /** Opens a file, even if it was renamed since it was listed; returns `undefined` if it was removed. */
  async open(wanted: RotatedFile): Promise<OpenRotatedFile | undefined> {
    let candidate: RotatedFile | undefined = wanted;
    for (let listing = 0; candidate && listing < maxListings; listing++) {
      const opened = await openRotatedFile(candidate.path);
      if (opened) {
        if ((await fingerprintOf(opened, this.#signal)) === wanted.fingerprint) return opened;
        await opened.file.close();
      }
      candidate = (await this.list()).find(({ fingerprint }) => fingerprint === wanted.fingerprint);
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
      const fingerprint = await this.#readFingerprint(path);
      const file = fingerprint === undefined ? undefined : { path, fingerprint, modifiedNs: found.mtimeNs };
      known.set(key, file);
      // An empty file that is not compressed was just created.
      if (file || (found.size === 0n && !path.endsWith(".gz"))) return file;
      failure = new CriError({ code: "DATA_LOSS", message: `${path} is empty or contains no log line` });
    } catch (error) {
      this.#signal.throwIfAborted();
      if (isMissing(error)) return undefined;
      failure = error instanceof CriError ? error : logFailure(path, error);
    }
    this.#settings.onGap({ reason: "unreadable", path, offset: 0, error: failure });
    return undefined;
  }

  async #readFingerprint(path: string): Promise<string | undefined> {
    const opened = await openRotatedFile(path);
    try {
      return opened && (await fingerprintOf(opened, this.#signal));
    } finally {
      await opened?.file.close();
    }
  }
}

function fingerprintOf({ file, isCompressed }: OpenRotatedFile, signal: AbortSignal): Promise<string | undefined> {
  return isCompressed ? readCompressedFingerprint(file, signal) : readFingerprint(file);
}

async function openRotatedFile(path: string): Promise<OpenRotatedFile | undefined> {
  const file = await openIfExists(path);
  if (!file) return undefined;
  try {
    return { file, isCompressed: await isCompressed(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function areSame(names: ReadonlyMap<string, bigint>, others: ReadonlyMap<string, bigint>): boolean {
  return names.size === others.size && [...names].every(([name, inode]) => others.get(name) === inode);
}
