import { FileWatch } from "./file-watch.js";
import type { Liveness } from "./liveness.js";
import type { Entries } from "./log-decoder.js";
import { fileState, type LogFile, openIfExists } from "./log-file.js";
import type { LogFileReader } from "./log-file-reader.js";
import type { RotationTracker } from "./rotation-tracker.js";

/** The objects that {@link follow} uses besides the file. */
export interface FollowContext {
  /** The path of the log, where the next file appears after a rotation. */
  readonly path: string;
  readonly reader: LogFileReader;
  readonly rotations: RotationTracker;
  readonly liveness: Liveness;
}

/**
 * Follows a log through rotations, beginning with an open file, until all lines were read and no more are expected. Closes the
 * file.
 */
export async function* follow(file: LogFile, context: FollowContext): AsyncGenerator<Entries> {
  const { path, reader, rotations, liveness } = context;
  const stopListening = liveness.listen();
  let current = file;
  let watch = new FileWatch(current.path, path);
  /** Whether the current file was rotated and read to its end. */
  let isComplete = false;
  try {
    // After the writer has ended, one more pass reads its last lines.
    for (let isLastPass = false; ; ) {
      const change = watch.takeChange();
      const { position } = current;
      const isReliable = watch.isReliable;
      const isWritten = isReliable && change === "content";
      if (!isComplete) yield* reader.readToEnd(current, isReliable, isWritten);
      if (reader.finished) return;
      if (isWritten && current.position > position && !isLastPass) {
        // The file has grown and still has its name, so there is nothing else to find out.
        isLastPass = !(await liveness.waitForMore(watch, { id: current.id, size: current.position }));
        continue;
      }
      const state = await fileState(path);
      if (state?.id === current.id) {
        if (state.size < current.position) {
          yield reader.endFile();
          // `copytruncate` leaves a copy of the lines that were read.
          rotations.markRead(reader.fingerprint);
          reader.start(current);
          continue;
        }
      } else if (state || (await rotations.hasUnread(reader.fingerprint))) {
        if (!isComplete) {
          yield* reader.readLateLines(current);
          yield reader.endFile();
          rotations.markRead(reader.fingerprint);
          isComplete = true;
        }
        let next = await openIfExists(path);
        try {
          const unread = await rotations.takeUnreadBefore(next);
          // Without a file under the name of the log, the runtime still writes to the latest rotated file.
          const latest = next ? undefined : unread.pop();
          for (const rotated of unread) {
            yield* reader.readRotated({ ...rotated, position: 0 }, next !== undefined && rotated === unread.at(-1));
          }
          next ??= latest && (yield* reader.openLatest(latest));
        } catch (error) {
          await next?.close();
          throw error;
        }
        if (!next) continue;
        await current.close();
        current = next;
        isComplete = false;
        reader.start(current);
        watch.close();
        watch = new FileWatch(current.path, path);
        continue;
      }
      if (isLastPass) return;
      const isCurrent = state?.id === current.id && !isComplete;
      isLastPass = !(await liveness.waitForMore(watch, isCurrent ? { ...state, size: current.position } : undefined));
    }
  } finally {
    stopListening();
    watch.close();
    await current.close();
  }
}
