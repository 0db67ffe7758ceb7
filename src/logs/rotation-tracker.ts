import { readFingerprint } from "./fingerprint.js";
import type { LogFile } from "./log-file.js";
import type { RotatedFile, RotatedFiles } from "./rotated-files.js";

/** The maximum number of fingerprints to keep. Rotated files are removed long before this number is reached. */
const maxRead = 10_000;

/** Keeps track of which files of a log were read, so that each is read once even though rotations rename it. */
export class RotationTracker {
  readonly #files: RotatedFiles;
  readonly #read = new Set<string>();

  constructor(files: RotatedFiles) {
    this.#files = files;
  }

  /** Returns the files that were rotated before the current one, oldest first, and marks them as read. */
  async takeOlder(currentFingerprint: string | undefined): Promise<RotatedFile[]> {
    return this.#takeBefore(currentFingerprint, await this.#files.list());
  }

  /** Marks the file with this fingerprint as read. */
  markRead(fingerprint: string | undefined): void {
    if (fingerprint === undefined) return;
    this.#read.add(fingerprint);
    if (this.#read.size <= maxRead) return;
    const [oldest] = this.#read;
    this.#read.delete(oldest as string);
  }

  /** Returns whether a rotated file, other than the current one, was not read. */
  async hasUnread(currentFingerprint: string | undefined): Promise<boolean> {
    const listed = await this.#files.list();
    return listed.some(({ fingerprint }) => fingerprint !== currentFingerprint && !this.#read.has(fingerprint));
  }

  /**
   * Returns the unread files that were rotated before an open current file, and marks them as read. Without a current file,
   * returns all unread rotated files.
   */
  async takeUnreadBefore(current: LogFile | undefined): Promise<RotatedFile[]> {
    const listed = await this.#files.list();
    // Reads the fingerprint after the listing. If the file was rotated in the meantime, the list contains it, between older and
    // newer files.
    const fingerprint = current && (await readFingerprint(current));
    return this.#takeBefore(fingerprint, listed);
  }

  /** Takes the unread files before the file with a fingerprint, or all unread files if the list does not contain that file. */
  #takeBefore(fingerprint: string | undefined, listed: readonly RotatedFile[]): RotatedFile[] {
    const index = listed.findIndex((file) => file.fingerprint === fingerprint);
    const before = listed.slice(0, index < 0 ? listed.length : index);
    const unread = before.filter((file) => !this.#read.has(file.fingerprint));
    for (const file of unread) this.markRead(file.fingerprint);
    return unread;
  }
}
