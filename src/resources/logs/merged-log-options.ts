import type { CriError } from "../../errors.js";
import type { LogGap } from "../../logs/log-gap.js";
import type { ContainerLogOptions } from "./container-logs.js";

/** Which part of several logs to read, and how. `tailLines` and `limitBytes` count for each log. */
export interface MergedLogOptions
  extends Omit<ContainerLogOptions, "after" | "follow" | "onGap" | "previous" | "waitForStart"> {
  /**
   * Go on when the end is reached. New pods, containers and attempts that match the query are joined.
   *
   * - `true`: until every log has ended and no container that matches can write. Ends at once if there is none.
   * - `"forever"`: until the stream is closed or its signal aborts, also while nothing matches, between two attempts of a
   *   container, and while the runtime is away. Not together with `until`.
   *
   * @defaultValue false
   */
  follow?: boolean | "forever" | undefined;
  /**
   * Start each log exactly behind a position: the `position` of the last entry that was handled, by container id. Logs without one
   * are read as a whole, all attempts and, unless `rotated` is false, their rotated files, so that nothing is lost or repeated. Begin with
   * `{}`. A container that was removed is reported to `onMissed`: its position is of no use any more. Not together with `tailLines`.
   */
  after?: Readonly<Record<string, string>> | undefined;
  /** Called for everything that is left out of a log: malformed lines, holes, unreadable files. See {@link LogGap}. */
  onGap?: ((gap: LogGap, containerId: string) => void) | undefined;
  /**
   * With `follow`: how long a new entry is held back, in milliseconds, so that entries of other logs can come before it. Entries
   * that are read later than that are out of order. @defaultValue 250
   */
  orderWindowMs?: number | undefined;
  /**
   * Called for a log that cannot be read, or no further: it has no file, its file is not a log, or it is a named pipe or device. The others go on; the stream
   * fails only if none can be read. @defaultValue a warning to the client's logger
   */
  onMissed?: ((error: CriError, containerId: string) => void) | undefined;
}

/** Which part of a pod's logs to read, and how. */
export interface PodLogOptions extends MergedLogOptions {
  /** Only containers with this name. @defaultValue all containers of the pod */
  container?: string | undefined;
}
