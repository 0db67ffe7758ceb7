import { CriError, InvalidInputError } from "../../errors.js";
import { CriStream } from "../../internal/stream.js";
import type { CallOptions, StreamLimits } from "../../options.js";
import { startBudget, streamLimit } from "../../rpcs/budget.js";
import type { Connection } from "../../transport/connection.js";
import { type UsageFilter, UsageSampler, type UsageSnapshot } from "./snapshot.js";

/** Options of `cri.stats.snapshot`. */
export interface UsageSnapshotOptions extends UsageFilter, CallOptions {}

/** Options of `cri.stats.watch`. */
export interface UsageWatchOptions extends UsageFilter, StreamLimits, Omit<CallOptions, "deadline" | "timeoutMs"> {
  /** Keep trying while the first sample fails because the runtime does not answer. By default the stream fails then. @defaultValue false */
  waitForRuntime?: boolean | undefined;
  /** From the start of one sample to the start of the next, in milliseconds. @defaultValue 2000 */
  intervalMs?: number | undefined;
  /** How long one sample may take, in milliseconds. @defaultValue what its calls have by themselves: two minutes each */
  sampleTimeoutMs?: number | undefined;
  /** Is told about each sample that could not be had, so that a display can say that the runtime is away. */
  onMissed?: ((error: CriError) => void) | undefined;
}

const defaultIntervalMs = 2_000;

/** So many samples in a row may fail for a reason that waiting is not known to mend. */
const patience = 3;

/** The usage over time. A sample is taken when it is asked for and due, so nothing queues up in front of a slow reader. */
export function watchUsage(connection: Connection, options: UsageWatchOptions): CriStream<UsageSnapshot> {
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
  let missed = 0;
  for (let first = true; ; ) {
    const startedAt = performance.now();
    const outcome = await sampler.sample({ signal, retry, metadata, timeoutMs }).catch((error: unknown) => {
      const waitable = CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED");
      const goesOn =
        CriError.is(error) &&
        error.code !== "CLIENT_CLOSED" &&
        (!first || waitForRuntime) &&
        (waitable || ++missed < patience);
      if (!goesOn) throw error;
      return error;
    });
    if (outcome instanceof Error) onMissed?.(outcome);
    else {
      first = false;
      missed = 0;
      yield [outcome];
    }
    await pause.sleep(Math.max(0, startedAt + intervalMs - performance.now()));
  }
}
