import { lstatSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { startTimer } from "../internal/timer.js";
import { type FileChange, FolderWatch } from "./folder-watch.js";
import type { FileState } from "./log-file.js";
import { type Swept, sweep } from "./sweep.js";

/**
 * Reports possible changes of a file. Watches the directory, because a rotation gives the name to another file. If watching is
 * not possible (too many watchers, no such directory, a file system without events), the follower polls.
 */
export class FileWatch implements Swept {
  readonly #path: string;
  readonly #log: string;
  readonly #isLink: boolean;
  #folder: FolderWatch | undefined;
  #unwatch = () => {};
  #change: FileChange | undefined;
  #wake = () => {};
  /** The state of the file during a wait for an event. */
  #expected: FileState | undefined;
  #stopSweep: (() => void) | undefined;

  /**
   * @param path the file, without symbolic links
   * @param log the path by which the follower knows it
   */
  constructor(path: string, log = path) {
    this.#path = path;
    this.#log = log;
    this.#isLink = isLink(log);
    this.#watch();
  }

  /** Whether the follower can rely on events. Not for a symbolic link: its target may change, in another folder. */
  get isReliable(): boolean {
    return (this.#folder?.isReliable ?? false) && !this.#isLink;
  }

  /** Returns the change since the last call, and forgets it. Call this method before you read the file. */
  takeChange(): FileChange | undefined {
    const change = this.#change;
    this.#change = undefined;
    return change;
  }

  /**
   * Waits for a change since {@link takeChange}.
   *
   * @param milliseconds the longest wait
   */
  wait(milliseconds: number): Promise<void> {
    return this.#wait(milliseconds);
  }

  /** Waits like {@link wait}, but without a limit, and notices in the end also a change without an event. */
  async waitForEvent(state: FileState): Promise<void> {
    this.#stopSweep ??= sweep(this);
    this.#expected = state;
    await this.#wait();
    this.#expected = undefined;
  }

  /** Ends a wait for an event if the file has changed without one. */
  check(): void {
    if (this.#expected && !isIn(this.#expected, this.#log)) this.#wake();
  }

  /** Ends a wait, as a change does. */
  wake(change: FileChange = "name"): void {
    // A change of the name includes one of the content.
    if (this.#change !== "name") this.#change = change;
    this.#wake();
  }

  close(): void {
    this.#stopSweep?.();
    this.#stopSweep = undefined;
    this.#stopWatching();
  }

  #stopWatching(): void {
    this.#unwatch();
    this.#folder = undefined;
  }

  #wait(milliseconds?: number): Promise<void> {
    if (!this.#folder) this.#watch();
    return new Promise((resolve) => {
      if (this.#change) return resolve();
      const stopTimer = milliseconds === undefined ? undefined : startTimer(milliseconds, resolve);
      this.#wake = () => {
        stopTimer?.();
        resolve();
      };
    });
  }

  #watch(): void {
    try {
      this.#folder = FolderWatch.of(dirname(this.#path));
      this.#unwatch = this.#folder.add(basename(this.#path), (change) => {
        if (change === "lost") this.#stopWatching();
        this.wake(change);
      });
    } catch {
      // The next wait tries again.
    }
  }
}

function isLink(path: string): boolean {
  try {
    return lstatSync(path).isSymbolicLink();
  } catch {
    return false;
  }
}

/** Returns whether the file at a path is in the state. */
function isIn({ id, size }: FileState, path: string): boolean {
  try {
    const found = statSync(path, { bigint: true });
    return `${found.dev}:${found.ino}` === id && Number(found.size) === size;
  } catch {
    return false;
  }
}
