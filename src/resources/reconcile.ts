import type { Budget } from "../calls/budget.js";
import { CriError, type CriErrorCode, NameReservedError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { type CallOptions, undoTimeoutMs } from "../options.js";
import { backoffMs } from "../transport/retry.js";

/** An object found under the identity that a creation asked for. */
export interface Found {
  id: string;
  createdAt: Date | undefined;
  /** It was made from the very configuration that this creation sends. */
  sameConfig: boolean;
  /** It is in the state in which a creation leaves it. */
  fresh: boolean;
  /** It is of no use to anybody, and never will be. */
  broken?: boolean;
  /** Its state, for the error. */
  state: string;
}

/** A creation that can be repeated because what it makes can be found again. */
export interface Creation {
  /** For messages, such as `pod sandbox default/demo`. */
  what: string;
  budget: Budget;
  create(options: CallOptions): Promise<string>;
  find(options: CallOptions): Promise<Found | undefined>;
  remove(id: string, options: CallOptions): Promise<void>;
}

/** What came of it; `adopted` when the object existed already, made from the same configuration. */
export interface Created {
  id: string;
  adopted: boolean;
}

/** How long to seek an answer that was lost, or to wait for a taken name, within the caller's budget. */
const reconcileTimeoutMs = 30_000;

/** When to look for what a cancelled creation left: at once, and again for a runtime that was in the middle of it. */
const leftoverPausesMs = [0, 200, 600];

/** Codes under which an answer may have been lost on its way, as opposed to one that says no. */
const lostAnswers: readonly CriErrorCode[] = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "INTERNAL",
  "INVALID_RESPONSE",
];

/**
 * Creates what must not be created twice. CRI has no idempotency key, but a runtime reserves name, namespace, uid and attempt.
 * So after a lost answer or a taken name the object is looked up by those, and
 *
 * - adopted, if it is fresh and was made from the same configuration,
 * - waited for, if the name is taken and nothing is listed: an earlier creation is still under way or being cleaned up,
 * - removed, if it is the wreck of this very creation, or a broken one of an earlier one,
 * - left alone otherwise: `NameReservedError`.
 *
 * When the caller aborts or runs out of time, what the runtime may have made by then is looked for and removed.
 */
export async function createReconciled(creation: Creation): Promise<Created> {
  const startedAt = Date.now();
  const giveUpAt = performance.now() + reconcileTimeoutMs;
  const { budget } = creation;
  for (let round = 1; ; round++) {
    const options = budget.options();
    options.signal?.throwIfAborted();
    let failure: unknown;
    try {
      return { id: await creation.create(options), adopted: false };
    } catch (error) {
      failure = error;
    }
    if (options.signal?.aborted || (isSpent(budget) && isInDoubt(failure))) {
      await removeLeftover(creation, startedAt);
      throw failure;
    }
    if (!isInDoubt(failure) || isSpent(budget)) throw failure;

    const found = await lookUp(creation, failure, giveUpAt);
    if (found?.sameConfig && found.fresh && !found.broken) return { id: found.id, adopted: true };
    if (found && !isWreck(found, startedAt)) throw nameTaken(creation, found, failure);
    if (found) await creation.remove(found.id, budget.options());
    else if (!CriError.is(failure, "NAME_RESERVED", "UNAVAILABLE")) throw failure;

    await sleep(Math.min(pauseMs(round), budget.leftMs() ?? Number.POSITIVE_INFINITY), options.signal);
    if (isSpent(budget) || performance.now() > giveUpAt) throw failure;
  }
}

/** Finds the object, going on while the runtime is away; without an answer the first failure stands. */
async function lookUp(creation: Creation, failure: unknown, giveUpAt: number): Promise<Found | undefined> {
  for (let round = 1; ; round++) {
    if (isSpent(creation.budget)) throw failure;
    const options = creation.budget.options();
    try {
      return await creation.find(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!CriError.is(error, "UNAVAILABLE") || performance.now() > giveUpAt) throw failure;
      await sleep(pauseMs(round), options.signal);
    }
  }
}

/** Removes what a creation left behind for which nobody waits any more. On its own short budget; the caller hears of the first failure only. */
async function removeLeftover(creation: Creation, startedAt: number): Promise<void> {
  const giveUpAt = performance.now() + undoTimeoutMs;
  try {
    for (const pause of leftoverPausesMs) {
      await sleep(pause);
      const found = await creation.find({ timeoutMs: giveUpAt - performance.now(), retry: false });
      if (found && isWreck(found, startedAt)) {
        await creation.remove(found.id, { timeoutMs: giveUpAt - performance.now() });
        return;
      }
    }
  } catch {
    // The error under way says already that the creation may have taken effect.
  }
}

function isInDoubt(failure: unknown): boolean {
  if (CriError.is(failure, "NAME_RESERVED")) return true;
  return CriError.is(failure, ...lostAnswers) && failure.mayHaveTakenEffect;
}

function isWreck(found: Found, startedAt: number): boolean {
  return found.sameConfig && (found.broken === true || isNewerThan(found, startedAt));
}

function isNewerThan(found: Found, startedAt: number): boolean {
  return found.createdAt !== undefined && found.createdAt.getTime() >= startedAt;
}

function isSpent(budget: Budget): boolean {
  const left = budget.leftMs();
  return left !== undefined && left < 5;
}

function pauseMs(round: number): number {
  return 20 + backoffMs(round, { initialBackoffMs: 100, maxBackoffMs: 1_000 });
}

function nameTaken(creation: Creation, found: Found, cause: unknown): NameReservedError {
  const { method, endpoint, attempts } = cause as CriError;
  return new NameReservedError({
    message:
      `${creation.what} exists already as ${found.id} (${found.state}, made from ${found.sameConfig ? "the same" : "another"} ` +
      "configuration); work with that one through get(), remove it, or create this one with a higher attempt",
    holderId: found.id,
    method,
    endpoint,
    attempts,
    cause,
  });
}
