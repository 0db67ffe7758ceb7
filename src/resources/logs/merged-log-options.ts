import type { CriError } from "../../errors.js";
import type { FieldsOf } from "../../input/call-options.js";
import type { LogGap } from "../../logs/log-gap.js";
import { logFields } from "../../logs/read-options.js";
import type { ContainerLogOptions } from "./container-logs.js";

/** Options of reading several logs. `tailLines` and `limitBytes` apply to each log. */
export interface MergedLogOptions
  extends Omit<ContainerLogOptions, "after" | "follow" | "onGap" | "previous" | "waitForStart"> {
  /**
   * Continues at the end of the logs, and adds the logs of new pods, containers and attempts that match the query.
   *
   * - `true`: until every log has ended and no matching container can write. Ends at once if no container matches.
   * - `"forever"`: until the stream is closed or its signal aborts, even while no container matches, between two attempts of a
   *   container, and while the runtime is down. Cannot be combined with `until`.
   *
   * @defaultValue false
   */
  follow?: boolean | "forever" | undefined;
  /**
   * Continues each log directly after a position. The keys are container ids, and the values are the `position` of the last entry
   * that you handled. Begin with `{}`. Cannot be combined with `tailLines`.
   *
   * Logs without a position are read as a whole: all attempts and, unless `rotated` is false, their rotated files. So nothing is
   * lost or repeated. A container that was removed is reported to `onMissed`, and its position can be deleted.
   */
  after?: Readonly<Record<string, string>> | undefined;
  /** Called for each part of a log that is omitted: malformed lines, holes, unreadable files. See {@link LogGap}. */
  onGap?: ((gap: LogGap, containerId: string) => void) | undefined;
  /**
   * With `follow`: how long a new entry is held back, in milliseconds, to wait for earlier entries of other logs. An entry that is
   * read later than that is emitted out of order.
   *
   * @defaultValue 250
   */
  orderWindowMs?: number | undefined;
  /**
   * Called for a log that cannot be read, or not to its end: the file does not exist, is not a log, or is a named pipe or a device.
   * The other logs continue. The stream fails only if no log can be read.
   *
   * @defaultValue a warning to the client's logger
   */
  onMissed?: ((error: CriError, containerId: string) => void) | undefined;
}

/** Options of `pod.logs()`. */
export interface PodLogOptions extends MergedLogOptions {
  /** Only containers with this name. @defaultValue all containers of the pod */
  container?: string | undefined;
}

export const mergedLogFields: FieldsOf<MergedLogOptions> = {
  ...logFields,
  localPath: true,
  orderWindowMs: true,
  onMissed: true,
  timeoutMs: true,
  deadline: true,
};

export const podLogFields: FieldsOf<PodLogOptions> = { container: true, ...mergedLogFields };
