import { CriError, InvalidInputError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { CriStream } from "../../internal/stream.js";
import type { CallOptions, StreamLimits } from "../../options.js";
import { startBudget, streamLimit } from "../../rpcs/budget.js";
import type { Connection } from "../../transport/connection.js";
import { type UsageFilter, UsageSampler, type UsageSnapshot } from "./snapshot.js";

/** Options of `cri.stats.snapshot`. */
export interface UsageSnapshotOptions extends UsageFilter, CallOptions {}

/** Options of `cri.stats.watch`. */
export interface UsageWatchOptions extends UsageFilter, StreamLimits, Omit<CallOptions, "deadline" | "timeoutMs"> {
  /**
   * Retries if the runtime is unavailable at the first sample. By default the stream fails in this case.
   *
   * @defaultValue false
   */
  waitForRuntime?: boolean | undefined;
  /** The time from the start of one sample to the start of the next, in milliseconds. @defaultValue 2000 */
  intervalMs?: number | undefined;
  /** The time limit of one sample, in milliseconds. @defaultValue the default budget of each of its calls: two minutes */
  sampleTimeoutMs?: number | undefined;
  /** Called with the error of each failed sample, for example to display that the runtime is down. */
  onMissed?: ((error: CriError) => void) | undefined;
}

export const usageSnapshotFields: FieldsOf<UsageSnapshotOptions> = { pod: true, labels: true, ...callOptionFields };

const usageWatchFields: FieldsOf<UsageWatchOptions> = {
  intervalMs: true,
  sampleTimeoutMs: true,
  waitForRuntime: true,
  onMissed: true,
  ...usageSnapshotFields,
};

const defaultIntervalMs = 2_000;

/** The stream fails after this many failed samples in a row, unless the runtime is unavailable or too slow. */
const maxFailures = 3;

/** Streams usage over time. A sample is taken when it is due and requested, so no samples queue up for a slow consumer. */
export function watchUsage(connection: Connection, options: UsageWatchOptions): CriStream<UsageSnapshot> {
  checkOptions(options, usageWatchFields);
  const { intervalMs = defaultIntervalMs, sampleTimeoutMs } = options;
  for (const [field, value] of Object.entries({ intervalMs, sampleTimeoutMs })) {
    if (value === undefined || (typeof value === "number" && value > 0)) continue;
    throw new InvalidInputError({ field, message: "must be a number of milliseconds above 0", value });
  }
  const sampler = new UsageSampler(connection, options);
  return new CriStream(
    (signal) => samples(connection, sampler, { ...options, intervalMs, signal }),
    options.signal ?? connection.signal,
    streamLimit(connection, options),
  );
}

async function* samples(
  connection: Connection,
  sampler: UsageSampler,
  options: UsageWatchOptions & { intervalMs: number },
): AsyncGenerator<readonly UsageSnapshot[]> {
  const { intervalMs, sampleTimeoutMs: timeoutMs, onMissed, signal, retry, metadata, waitForRuntime = false } = options;
  const pause = startBudget(connection, { signal }, undefined);
  let failures = 0;
  for (let first = true; ; ) {
    const startedAt = performance.now();
    const outcome = await sampler.sample({ signal, retry, metadata, timeoutMs }).catch((error: unknown) => {
      const isOutage = CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED");
      const canRetry =
        CriError.is(error) &&
        error.code !== "CLIENT_CLOSED" &&
        (!first || waitForRuntime) &&
        (isOutage || ++failures < maxFailures);
      if (!canRetry) throw error;
      return error;
    });
    if (outcome instanceof Error) onMissed?.(outcome);
    else {
      first = false;
      failures = 0;
      yield [outcome];
    }
    await pause.sleep(Math.max(0, startedAt + intervalMs - performance.now()));
  }
}
