import { type FSWatcher, watch } from "node:fs";
import { basename, dirname } from "node:path";
import { onAbort } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";

/**
 * Reports possible changes of a file. Watches the directory, because a rotation gives the name to another file. If watching is
 * not possible (too many watchers, no such directory, a file system without events), the follower polls.
 */
export class FileWatch {
  readonly #path: string;
  #watcher: FSWatcher | undefined;
  #changed = false;
  #wake = () => {};

  constructor(path: string) {
    this.#path = path;
    this.#watch();
  }

  /** Forgets the changes so far. Call this method before you read the file, so that changes during the read are not missed. */
  clear(): void {
    this.#changed = false;
  }

  /** Waits for a change since {@link clear}, at most for the given time. Rejects with the signal's reason. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#watcher) this.#watch();
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      if (this.#changed) return resolve();
      const done = () => {
        stopTimer();
        stopListening();
        resolve();
      };
      const stopTimer = startTimer(milliseconds, done);
      const stopListening = onAbort(signal, () => {
        stopTimer();
        reject(signal.reason);
      });
      this.#wake = done;
    });
  }

  /** Ends a wait, as a change does. */
  wake(): void {
    this.#changed = true;
    this.#wake();
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #watch(): void {
    const name = basename(this.#path);
    try {
      this.#watcher = watch(dirname(this.#path), { persistent: false }, (_, changed) => {
        if (changed !== null && changed !== name) return;
        this.wake();
      });
      this.#watcher.on("error", () => this.close());
    } catch {
      // The next wait tries again.
    }
  }
}
