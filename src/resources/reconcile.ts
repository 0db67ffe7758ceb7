import type { Budget } from "../calls/budget.js";
import { CriError, type CriErrorCode, NameReservedError } from "../errors.js";
import { sleep } from "../internal/timer.js";
import { type CallOptions, undoTimeoutMs } from "../options.js";
import { backoffMs } from "../transport/retry.js";
import type { CreationMark } from "./creation-mark.js";

/** An object found under the identity that a creation asked for. */
export interface Found {
  id: string;
  mark: CreationMark | undefined;
  /** It is in the state in which a creation leaves it, and fit for use. */
  fresh: boolean;
  /** Its state, for the error. */
  state: string;
}

/** A creation that can be repeated because what it makes can be found again. */
export interface Creation {
  /** For messages, such as `pod sandbox default/demo`. */
  what: string;
  mark: CreationMark;
  /** Whether to take over what another creation made from the same configuration. */
  adopt: boolean;
  budget: Budget;
  create(options: CallOptions): Promise<string>;
  find(options: CallOptions): Promise<Found | undefined>;
  remove(id: string, options: CallOptions): Promise<void>;
}

/** What came of it; `adopted` when another creation had made it. */
export interface Created {
  id: string;
  adopted: boolean;
}

/** How long to seek an answer that was lost, or to wait for a taken name, within the caller's budget. */
const reconcileTimeoutMs = 30_000;

/** How long to look for what a cancelled creation left, and when: at once, and again for a runtime that was in the middle of it. */
const leftoverTimeoutMs = 2_000;
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
 * Nonces of creations of this process that were given up in doubt. What shows up of them later belongs to nobody, and may be
 * taken over or removed by the next creation of the same name.
 */
const abandoned = new Set<string>();
const maxAbandoned = 10_000;

/**
 * Creates what must not be created twice. CRI has no idempotency key, but a runtime reserves name, namespace, uid and attempt.
 * So after a lost answer or a taken name the object is looked up by those, and
 *
 * - taken, if it is this creation's own work, or that of an earlier one which was given up, and fit for use,
 * - removed, if it is such work but a wreck,
 * - waited for, if the name is taken and nothing is listed: a creation is still under way or being cleaned up,
 * - adopted, if it was made from the same configuration by somebody else and the caller wants that,
 * - left alone otherwise: `NameReservedError`.
 *
 * When the caller aborts or runs out of time, what the runtime may have made by then is looked for and removed.
 */
export async function createReconciled(creation: Creation): Promise<Created> {
  const doubt = { remains: false };
  try {
    return await reconcile(creation, doubt);
  } catch (error) {
    // However it was given up: by a step of the reconciling that ran out of time, for instance.
    if (doubt.remains) abandon(creation.mark);
    throw error;
  }
}

/** @param doubt whether the runtime may have made something, or may yet, of which this call knows nothing */
async function reconcile(creation: Creation, doubt: { remains: boolean }): Promise<Created> {
  const { budget, mark } = creation;
  const giveUpAt = performance.now() + reconcileTimeoutMs;
  for (let round = 1; ; round++) {
    const options = budget.options();
    options.signal?.throwIfAborted();
    let failure: unknown;
    try {
      return { id: await creation.create(options), adopted: false };
    } catch (error) {
      failure = error;
    }
    doubt.remains ||= isLost(failure);
    const giveUp = () => (doubt.remains && CriError.is(failure) ? failure.inDoubt() : failure);
    if (options.signal?.aborted || (isSpent(budget) && doubt.remains)) {
      doubt.remains = !(await removeLeftover(creation));
      throw giveUp();
    }
    if ((!isLost(failure) && !CriError.is(failure, "NAME_RESERVED")) || isSpent(budget)) throw giveUp();

    const found = await lookUp(creation, giveUpAt);
    if (found === "no answer") throw giveUp();
    if (found) {
      const own = isOwn(found, mark);
      const usable = found.fresh && found.mark?.hash === mark.hash;
      if (usable && (own || creation.adopt)) {
        abandoned.delete(found.mark?.nonce ?? "");
        return { id: found.id, adopted: !own };
      }
      if (!own) throw nameTaken(creation, found, failure);
      // If that fails, the next round meets the wreck again.
      await creation.remove(found.id, budget.options()).catch(() => {});
    } else if (!CriError.is(failure, "NAME_RESERVED", "UNAVAILABLE")) throw giveUp();

    await budget.sleep(pauseMs(round));
    if (isSpent(budget) || performance.now() > giveUpAt) throw giveUp();
  }
}

/** Failures of a look-up that a runtime which is coming back does not mend. */
const finalFailures: readonly CriErrorCode[] = [
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "INVALID_ARGUMENT",
  "INVALID_INPUT",
  "RESOURCE_EXHAUSTED",
  "CLIENT_CLOSED",
];

/** Finds the object, going on while the runtime is away or starting up, when it may answer with nearly anything. */
async function lookUp(creation: Creation, giveUpAt: number): Promise<Found | undefined | "no answer"> {
  for (let round = 1; ; round++) {
    if (isSpent(creation.budget)) return "no answer";
    const options = creation.budget.options();
    try {
      return await creation.find(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!CriError.is(error) || CriError.is(error, ...finalFailures) || performance.now() > giveUpAt)
        return "no answer";
      await creation.budget.sleep(pauseMs(round));
    }
  }
}

/** Removes what a creation left behind for which nobody waits any more, on a short budget of its own. Tells whether it did. */
async function removeLeftover(creation: Creation): Promise<boolean> {
  const giveUpAt = performance.now() + leftoverTimeoutMs;
  try {
    for (const pause of leftoverPausesMs) {
      await sleep(pause);
      const found = await creation.find({ timeoutMs: Math.max(1, giveUpAt - performance.now()), retry: false });
      if (found?.mark?.nonce === creation.mark.nonce) {
        await creation.remove(found.id, { timeoutMs: undoTimeoutMs });
        return true;
      }
    }
  } catch {
    // The error under way says already that the creation may have taken effect.
  }
  return false;
}

function abandon(mark: CreationMark): void {
  abandoned.add(mark.nonce);
  const [oldest] = abandoned;
  if (abandoned.size > maxAbandoned && oldest !== undefined) abandoned.delete(oldest);
}

function isOwn(found: Found, mark: CreationMark): boolean {
  return found.mark !== undefined && (found.mark.nonce === mark.nonce || abandoned.has(found.mark.nonce));
}

function isLost(failure: unknown): boolean {
  return CriError.is(failure, ...lostAnswers) && failure.mayHaveTakenEffect;
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
  const same = found.mark?.hash === creation.mark.hash;
  const remedy = same && found.fresh ? "take it over with adopt: true" : "work with it through get()";
  return new NameReservedError({
    message:
      `${creation.what} exists already as ${found.id} (${found.state}, made from ${same ? "the same" : "another"} ` +
      `configuration); ${remedy}, remove it, or create this one with a higher attempt`,
    holderId: found.id,
    method,
    endpoint,
    attempts,
    cause,
  });
}
