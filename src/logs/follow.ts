import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import type { Entries } from "./log-decoder.js";
import { fileState, type LogFile, openIfThere } from "./log-file.js";
import type { LogReader } from "./log-reader.js";
import type { Succession } from "./succession.js";

/** What following needs besides the file. */
export interface Following {
  /** Where the next file appears when the current one has been rotated away. */
  readonly path: string;
  readonly reader: LogReader;
  readonly succession: Succession;
  readonly liveness: Liveness;
}

/**
 * Reads a log from an open file on, through rotations, until nothing more is to be expected and everything has been read.
 * Closes the file.
 */
export async function* follow(file: LogFile, following: Following): AsyncGenerator<Entries> {
  const { path, reader, succession, liveness } = following;
  let current = file;
  let watch = new FileWatch(current.path);
  /** Whether the current file has been rotated away, and read to its end. */
  let isPast = false;
  try {
    // Once nothing more is expected, what has come in before that answer is read, and then it is over.
    for (let last = false; ; ) {
      watch.clear();
      if (!isPast) yield* reader.toEnd(current);
      if (reader.finished) return;
      const now = await fileState(path);
      if (now?.id === current.id) {
        if (now.size < current.position) {
          yield reader.endFile();
          // `copytruncate` leaves a copy of what has been read.
          succession.see(reader.mark);
          reader.start(current);
          continue;
        }
      } else if (now || (await succession.hasMissed(reader.mark))) {
        if (!isPast) {
          yield* reader.lateLines(current);
          yield reader.endFile();
          succession.see(reader.mark);
          isPast = true;
        }
        let next = await openIfThere(path);
        try {
          const missed = await succession.missedBefore(next);
          // Without a file under the name of the log, the latest one is the file that is still written to.
          const latest = next ? undefined : missed.pop();
          for (const rotated of missed) {
            yield* reader.rotated({ ...rotated, position: 0 }, next !== undefined && rotated === missed.at(-1));
          }
          next ??= latest && (yield* reader.openLatest(latest));
        } catch (error) {
          await next?.close();
          throw error;
        }
        if (!next) continue;
        await current.close();
        current = next;
        isPast = false;
        reader.start(current);
        watch.close();
        watch = new FileWatch(current.path);
        continue;
      }
      if (last) return;
      last = !(await liveness.waitForMore(watch));
    }
  } finally {
    watch.close();
    await current.close();
  }
}
