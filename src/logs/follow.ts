import { sleep } from "../internal/timer.js";
import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import type { Entries } from "./log-decoder.js";
import { fileState, type LogFile, openIfThere } from "./log-file.js";
import { handOverMs, type LogReader } from "./log-reader.js";
import { writtenBefore, writtenBetween } from "./rotation.js";

/**
 * Reads a log from an open file on, through rotations, until nothing more is to be expected and everything has been read.
 * Closes the file.
 *
 * @param path where the next file is to appear when this one has been rotated away
 */
export async function* follow(
  path: string,
  file: LogFile,
  reader: LogReader,
  liveness: Liveness,
  signal: AbortSignal,
): AsyncGenerator<Entries> {
  let current = file;
  let watch = new FileWatch(current.path);
  try {
    let before = await writtenBefore(current);
    // Once nothing more is expected, what has come in before that answer is read, and then it is over.
    for (let last = false; ; ) {
      watch.clear();
      yield* reader.toEnd(current);
      if (reader.finished) return;
      const now = await fileState(path);
      if (now && now.id !== current.id) {
        await sleep(handOverMs, signal);
        yield* reader.toEnd(current);
        yield* reader.lastWords(current);
        const next = await openIfThere(path);
        if (!next) continue;
        const old = current;
        current = next;
        const missed = await writtenBetween(old, next, before).finally(() => old.close());
        yield reader.endFile();
        for (const rotated of missed) yield* reader.rotated({ path: rotated, position: 0 });
        before = await writtenBefore(next);
        reader.start(next);
        watch.close();
        watch = new FileWatch(next.path);
      } else if (now?.id === current.id && now.size < current.position) {
        yield reader.endFile();
        reader.start(current);
      } else if (last) return;
      else last = !(await liveness.waitForMore(watch));
    }
  } finally {
    watch.close();
    await current.close();
  }
}
