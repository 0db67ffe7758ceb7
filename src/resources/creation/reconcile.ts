import { CriError, type CriErrorCode, NameReservedError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { sleep, startTimer } from "../../internal/timer.js";
import { rollbackTimeoutMs } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { backoffMs } from "../../transport/retry.js";
import { abandon, type Leftover, leftBy, reclaim, wasAbandonedBefore } from "./abandoned.js";
import { uncancelled } from "./clean-up.js";
import type { Created, Creation, Found } from "./creation.js";

/** How long to look for the object of a lost answer, or to wait for a name that is taken, within the caller's budget. */
const reconcileTimeoutMs = 30_000;

/**
 * The time limit of the first repetition of a creation where the runtime may stall. Each further repetition has twice as long. CRI-O
 * gives the object to the repetition after the one that waited for it, so a long wait is of no use.
 */
const stalledTimeoutMs = 1_000;

/** How long to poll for the object of a lost answer where sending the creation again could make a second object. */
const underWayMs = 3_000;

/**
 * How long a creation may go on after the caller's abort before its call is cancelled. containerd, cancelled in the middle of
 * RunPodSandbox, sometimes leaks a shim that runs for ever. A creation that has finished can be removed.
 */
const cancelGraceMs = 1_500;

/** How long to look for what a cancelled creation left, and the pauses: at once, then again while the runtime may still be busy. */
const leftoverTimeoutMs = 2_000;
const leftoverPausesMs = [0, 200, 600];

/** Codes of calls whose answer may have been lost, as opposed to calls that the runtime refused. */
const lostAnswers: readonly CriErrorCode[] = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "INTERNAL",
  "INVALID_RESPONSE",
];

/** What is not known about a creation. */
interface Doubt {
  /** The runtime may have made an object, or may still make one, that this call does not know. */
  remains: boolean;
  /** The runtime answered that the creation failed. */
  refused: boolean;
}

/**
 * Creates an object that must not be created twice. CRI has no idempotency key, but a runtime reserves name, namespace, uid and attempt.
 * After a lost answer or a taken name, the client looks the object up by those, and
 *
 * - returns it, if this creation or an abandoned one made it and it can be used,
 * - removes it, if this creation or an abandoned one made it and it cannot be used,
 * - waits, if the name is taken but no object is listed: another creation or removal is still under way,
 * - adopts it, if another creation made it from the same configuration and the caller wants that,
 * - leaves it alone otherwise and throws `NameReservedError`.
 *
 * When the caller aborts or runs out of time, the client looks for an object that the runtime has made by then and removes it.
 */
export async function createReconciled(creation: Creation): Promise<Created> {
  const { budget, mark } = creation;
  const doubt: Doubt = { remains: false, refused: false };
  try {
    return await reconcile(creation, doubt);
  } catch (error) {
    if (!doubt.remains) throw error;
    const isAbandoned = budget.caller.signal?.aborted || isSpent(budget);
    const isOver = isAbandoned || (doubt.refused && (await mayHaveLeft(creation)));
    const left = isOver ? await removeLeftover(creation) : "usable";
    if (left !== undefined) abandon(mark, left);
    throw CriError.is(error) && error !== budget.caller.signal?.reason ? error.inDoubt() : error;
  }
}

async function reconcile(creation: Creation, doubt: Doubt): Promise<Created> {
  const { budget, mark } = creation;
  const giveUpAt = performance.now() + reconcileTimeoutMs;
  for (let round = 1; ; round++) {
    budget.caller.signal?.throwIfAborted();
    const isRepetition = round > 1 || wasAbandonedBefore(mark);
    const quirks = creation.mayExist || isRepetition ? await creation.quirks(budget.options()) : undefined;
    const limitMs = quirks?.stalls && isRepetition ? stalledTimeoutMs * 2 ** Math.max(0, round - 2) : undefined;
    let made: string | undefined;
    let failure: unknown;
    let found = quirks?.replaces ? await lookUp(creation, giveUpAt) : undefined;
    if (!found) {
      try {
        made = await createUncut(creation, limitMs);
        // An answer at the deadline may be of a broken object: the runtime has the deadline, too, and containerd goes on without it.
        const late = (budget.leftMs() ?? 1) <= 0;
        doubt.remains =
          (creation.mayExist && quirks?.returnsOlder === true) || late || budget.caller.signal?.aborted === true;
        if (!doubt.remains) return { id: made, adopted: false };
        budget.caller.signal?.throwIfAborted();
        if (late) throw timedOut(creation);
      } catch (error) {
        failure = error;
        doubt.remains ||= !CriError.is(error) || error.mayHaveTakenEffect;
        budget.caller.signal?.throwIfAborted();
        if (isSpent(budget)) throw error;
        doubt.refused = !isLost(error) && !CriError.is(error, "NAME_RESERVED");
        if (doubt.refused) throw error;
      }
      found = await lookUp(creation, giveUpAt).catch((error: unknown) => {
        throw budget.caller.signal?.aborted || CriError.is(error, "CLIENT_CLOSED") ? error : (failure ?? error);
      });
      // The runtime's name may be known only now.
      if (!found && isLost(failure) && (await creation.quirks(budget.options())).duplicates) {
        found = await pollFor(creation, giveUpAt);
      }
    }
    if (made !== undefined && found?.mark?.nonce === mark.nonce) return { id: made, adopted: false };
    if (found) {
      const left = leftBy(found.mark);
      const own = left !== undefined || found.mark?.nonce === mark.nonce;
      const usable = found.fresh && found.mark?.hash === mark.hash && left !== "half removed";
      if (usable && (own || creation.adopt)) {
        reclaim(found.mark);
        return { id: found.id, adopted: !own };
      }
      if (!own) {
        // Another creation has the identity, so this one has made nothing.
        doubt.remains = false;
        throw nameTaken(creation, found, failure);
      }
      // If the removal fails, the next round finds the object again.
      await creation.remove(found.id, budget.options()).catch(() => {});
    } else if (made === undefined && !isWorthAnotherRound(failure, limitMs)) throw failure;

    await budget.sleep(pauseMs(round));
    if (isSpent(budget) || performance.now() > giveUpAt) throw failure ?? timedOut(creation);
  }
}

/** Whether a failed creation may have left an object. A runtime that does not answer counts as one that leaves none. */
async function mayHaveLeft({ budget, quirks }: Creation): Promise<boolean> {
  const { metadata } = budget.caller;
  const known = await quirks({ metadata, timeoutMs: leftoverTimeoutMs, retry: false }).catch(() => undefined);
  return known?.leavesFailed ?? false;
}

function isWorthAnotherRound(failure: unknown, limitMs: number | undefined): boolean {
  if (CriError.is(failure, "NAME_RESERVED", "UNAVAILABLE")) return true;
  return limitMs !== undefined && CriError.is(failure, "DEADLINE_EXCEEDED");
}

/** Creates, and passes the caller's abort on only after {@link cancelGraceMs}. */
async function createUncut({ budget, create }: Creation, limitMs = Number.POSITIVE_INFINITY): Promise<string> {
  const given = budget.options();
  const timeoutMs = given.timeoutMs ? Math.min(given.timeoutMs, limitMs) : limitMs;
  const options = Number.isFinite(timeoutMs) ? { ...given, timeoutMs } : given;
  const { signal } = options;
  if (!signal) return create(options);
  const late = new AbortController();
  let stopTimer = () => {};
  const stopListening = onAbort(signal, () => {
    stopTimer = startTimer(cancelGraceMs, () => late.abort(signal.reason));
  });
  try {
    return await create({ ...options, signal: late.signal });
  } finally {
    stopListening();
    stopTimer();
  }
}

/** Failures of a look-up that repeating it does not mend. */
const finalFailures: readonly CriErrorCode[] = [
  "PERMISSION_DENIED",
  "UNAUTHENTICATED",
  "INVALID_ARGUMENT",
  "INVALID_INPUT",
  "RESOURCE_EXHAUSTED",
  "CLIENT_CLOSED",
];

/** Finds the object. Repeats the look-up while the runtime is down or starting: it may then answer with nearly any code. */
async function lookUp({ budget, find }: Creation, giveUpAt: number): Promise<Found | undefined> {
  for (let round = 1; ; round++) {
    const options = budget.options();
    try {
      return await find(options);
    } catch (error) {
      options.signal?.throwIfAborted();
      const isOver = isSpent(budget) || performance.now() > giveUpAt;
      if (isOver || !CriError.is(error) || CriError.is(error, ...finalFailures)) throw error;
    }
    await budget.sleep(pauseMs(round));
  }
}

/** Polls for the object of a creation that is under way. */
async function pollFor(creation: Creation, giveUpAt: number): Promise<Found | undefined> {
  const until = Math.min(giveUpAt, performance.now() + underWayMs);
  for (let round = 1; performance.now() < until && !isSpent(creation.budget); round++) {
    await creation.budget.sleep(pauseMs(round));
    const found = await lookUp(creation, giveUpAt);
    if (found) return found;
  }
  return undefined;
}

/**
 * Removes the object of a creation that was given up. Has budgets of its own: one to find the object, one to remove it.
 *
 * @returns what may remain; undefined if the object was removed
 */
async function removeLeftover({ budget, mark, find, remove }: Creation): Promise<Leftover | undefined> {
  const { metadata } = budget.caller;
  const giveUpAt = performance.now() + leftoverTimeoutMs;
  for (const pause of leftoverPausesMs) {
    await sleep(pause);
    const timeoutMs = Math.max(1, giveUpAt - performance.now());
    const options = { signal: uncancelled, metadata, timeoutMs, retry: false } as const;
    // A look-up that fails counts as one that finds nothing yet.
    const found = await find(options).catch(() => undefined);
    if (found?.mark?.nonce !== mark.nonce) continue;
    try {
      await remove(found.id, { signal: uncancelled, metadata, timeoutMs: rollbackTimeoutMs });
      return undefined;
    } catch {
      // The error that is being thrown already says that the creation may have taken effect.
      return "half removed";
    }
  }
  return "usable";
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
  const { method, endpoint, attempts } = (cause ?? {}) as Partial<CriError>;
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

function timedOut({ what }: Creation): CriError {
  return new CriError({ code: "DEADLINE_EXCEEDED", message: `${what} could not be created in time` });
}
