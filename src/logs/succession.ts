import type { LogFile } from "./log-file.js";
import { markOf, type RotatedFile, type RotatedFiles } from "./rotated.js";

/** How many marks are remembered. Rotated files are removed long before. */
const maxSeen = 10_000;

/** Remembers which files of a log have been read, so that each is read once, whatever its name. */
export class Succession {
  readonly #files: RotatedFiles;
  readonly #seen = new Set<string>();

  constructor(files: RotatedFiles) {
    this.#files = files;
  }

  /** The files that were rotated away before the current one, oldest first. They count as read from now on. */
  async older(currentMark: string | undefined): Promise<RotatedFile[]> {
    return this.#before(currentMark, await this.#files.list());
  }

  /** The file with this mark counts as read. */
  see(mark: string | undefined): void {
    if (mark === undefined) return;
    this.#seen.add(mark);
    if (this.#seen.size <= maxSeen) return;
    const [oldest] = this.#seen;
    this.#seen.delete(oldest as string);
  }

  /** Whether a file was rotated away that has not been read, and is not the current one. */
  async hasMissed(currentMark: string | undefined): Promise<boolean> {
    return (await this.#files.list()).some(({ mark }) => mark !== currentMark && !this.#seen.has(mark));
  }

  /**
   * What was rotated away unseen before a file that was opened under the name of the log; counts as read from now on. Without a
   * file: all that was rotated away unseen.
   */
  async missedBefore(next: LogFile | undefined): Promise<RotatedFile[]> {
    const listed = await this.#files.list();
    // After the listing, which has the file itself if it has been rotated away by now, between those before and behind it.
    const nextMark = next && (await markOf(next));
    return this.#before(nextMark, listed);
  }

  /** Of files in the order in which they were written, those before one of them, or all if it is not among them. */
  #before(mark: string | undefined, listed: readonly RotatedFile[]): RotatedFile[] {
    const own = listed.findIndex((file) => file.mark === mark);
    const before = listed.slice(0, own < 0 ? listed.length : own).filter((file) => !this.#seen.has(file.mark));
    for (const file of before) this.see(file.mark);
    return before;
  }
}
