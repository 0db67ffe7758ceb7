import { CriError, type CriErrorCode, NameReservedError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { sleep, startTimer } from "../../internal/timer.js";
import { rollbackTimeoutMs } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { backoffMs } from "../../transport/retry.js";
import { abandon, forgetAbandoned, type Leftover, leftoverOf, wasAbandonedBefore } from "./abandoned.js";
import { neverAborts } from "./clean-up.js";
import type { Created, Creation, Found } from "./creation.js";

/** How long to search for the object after a lost reply, or to wait for a reserved name, within the caller's time limit. */
const reconcileTimeoutMs = 30_000;

/**
 * The time limit of the first repetition of a creation on a runtime that may stall. It doubles with each further repetition. CRI-O
 * returns the object to the next repetition, not to the one that waited for it, so a long wait does not help.
 */
const stalledTimeoutMs = 1_000;

/** How long to poll for the object after a lost reply, on a runtime where a repeated creation could create a second object. */
const pollTimeoutMs = 3_000;

/**
 * How long a creation may continue after the caller's abort before its call is cancelled. If RunPodSandbox is cancelled midway,
 * containerd sometimes leaks a shim that runs forever. The object of a finished creation can be removed.
 */
const cancelGraceMs = 1_500;

/** How long to search for the object of a cancelled creation, and the pauses before each search: the runtime may still be busy. */
const leftoverTimeoutMs = 2_000;
const leftoverPausesMs = [0, 200, 600];

/** Codes that may mean a lost reply. With other codes, the runtime refused the call. */
const lostReplyCodes: readonly CriErrorCode[] = [
  "UNAVAILABLE",
  "DEADLINE_EXCEEDED",
  "CANCELLED",
  "INTERNAL",
  "INVALID_RESPONSE",
];

/** What is known about the outcome of a creation that failed. */
interface Outcome {
  /** Whether the runtime may have created an object, or may still create one, that this call has not found. */
  isUncertain: boolean;
  /** Whether the runtime reported that the creation failed. */
  isRefused: boolean;
}

/**
 * Creates an object that must not be created twice. CRI has no idempotency key, but a runtime reserves the name, namespace, uid and
 * attempt. After a lost reply, or if the name is reserved, the client looks up the object by them:
 *
 * | object | action |
 * |---|---|
 * | usable, created by this creation or an abandoned one | returns it |
 * | not usable, created by this creation or an abandoned one | removes it and creates it again |
 * | not listed, although the name is reserved: another creation or removal is in progress | waits and creates it again |
 * | created by another creation from the same configuration, with `adopt: true` | adopts it |
 * | any other | does not touch it and throws `NameReservedError` |
 *
 * If the caller aborts or the time is over, the client searches for an object that the runtime has created by then, and removes it.
 */
export async function createReconciled(creation: Creation): Promise<Created> {
  const { budget, mark } = creation;
  const outcome: Outcome = { isUncertain: false, isRefused: false };
  try {
    return await reconcile(creation, outcome);
  } catch (error) {
    if (!outcome.isUncertain) throw error;
    const isAbandoned = budget.caller.signal?.aborted || isSpent(budget);
    const isOver = isAbandoned || (outcome.isRefused && (await mayLeaveFailed(creation)));
    const leftover = isOver ? await removeLeftover(creation) : "usable";
    if (leftover !== undefined) abandon(mark, leftover);
    throw CriError.is(error) && error !== budget.caller.signal?.reason ? error.inDoubt() : error;
  }
}

async function reconcile(creation: Creation, outcome: Outcome): Promise<Created> {
  const { budget, mark } = creation;
  const giveUpAt = performance.now() + reconcileTimeoutMs;
  for (let round = 1; ; round++) {
    budget.caller.signal?.throwIfAborted();
    const isRepetition = round > 1 || wasAbandonedBefore(mark);
    const quirks = creation.mayExist || isRepetition ? await creation.quirks(budget.options()) : undefined;
    const limitMs = quirks?.stalls && isRepetition ? stalledTimeoutMs * 2 ** Math.max(0, round - 2) : undefined;
    let createdId: string | undefined;
    let failure: unknown;
    let found = quirks?.replaces ? await lookUp(creation, giveUpAt) : undefined;
    if (!found) {
      try {
        createdId = await createWithGrace(creation, limitMs);
        // If the reply arrives at the deadline, the object may be broken: containerd has the same deadline, and continues after it.
        const late = (budget.leftMs() ?? 1) <= 0;
        outcome.isUncertain =
          (creation.mayExist && quirks?.returnsOlder === true) || late || budget.caller.signal?.aborted === true;
        if (!outcome.isUncertain) return { id: createdId, adopted: false };
        budget.caller.signal?.throwIfAborted();
        if (late) throw timedOut(creation);
      } catch (error) {
        failure = error;
        outcome.isUncertain ||= !CriError.is(error) || error.mayHaveTakenEffect;
        budget.caller.signal?.throwIfAborted();
        if (isSpent(budget)) throw error;
        outcome.isRefused = !isReplyLost(error) && !CriError.is(error, "NAME_RESERVED");
        if (outcome.isRefused) throw error;
      }
      found = await lookUp(creation, giveUpAt).catch((error: unknown) => {
        throw budget.caller.signal?.aborted || CriError.is(error, "CLIENT_CLOSED") ? error : (failure ?? error);
      });
      // The runtime's name may have been unknown until now.
      if (!found && isReplyLost(failure) && (await creation.quirks(budget.options())).duplicates) {
        found = await pollFor(creation, giveUpAt);
      }
    }
    if (createdId !== undefined && found?.mark?.nonce === mark.nonce) return { id: createdId, adopted: false };
    if (found) {
      const leftover = leftoverOf(found.mark);
      const own = leftover !== undefined || found.mark?.nonce === mark.nonce;
      const usable = found.fresh && found.mark?.hash === mark.hash && leftover !== "half removed";
      if (usable && (own || creation.adopt)) {
        forgetAbandoned(found.mark);
        return { id: found.id, adopted: !own };
      }
      if (!own) {
        // Another creation has the identity, so this one has created nothing.
        outcome.isUncertain = false;
        throw nameReserved(creation, found, failure);
      }
      // If the removal fails, the next round finds the object again.
      await creation.remove(found.id, budget.options()).catch(() => {});
    } else if (createdId === undefined && !mayRepeat(failure, limitMs)) throw failure;

    await budget.sleep(pauseMs(round));
    if (isSpent(budget) || performance.now() > giveUpAt) throw failure ?? timedOut(creation);
  }
}

/** Returns whether the runtime may have left the object of a failed creation. False if the runtime does not answer. */
async function mayLeaveFailed({ budget, quirks }: Creation): Promise<boolean> {
  const { metadata } = budget.caller;
  const known = await quirks({ metadata, timeoutMs: leftoverTimeoutMs, retry: false }).catch(() => undefined);
  return known?.leavesFailed ?? false;
}

function mayRepeat(failure: unknown, limitMs: number | undefined): boolean {
  if (CriError.is(failure, "NAME_RESERVED", "UNAVAILABLE")) return true;
  return limitMs !== undefined && CriError.is(failure, "DEADLINE_EXCEEDED");
}

/** Sends the creation. Cancels the call {@link cancelGraceMs} after the caller's abort. */
async function createWithGrace({ budget, create }: Creation, limitMs = Number.POSITIVE_INFINITY): Promise<string> {
  const given = budget.options();
  const timeoutMs = given.timeoutMs ? Math.min(given.timeoutMs, limitMs) : limitMs;
  const options = Number.isFinite(timeoutMs) ? { ...given, timeoutMs } : given;
  const { signal } = options;
  if (!signal) return create(options);
  const delayed = new AbortController();
  let stopTimer = () => {};
  const stopListening = onAbort(signal, () => {
    stopTimer = startTimer(cancelGraceMs, () => delayed.abort(signal.reason));
  });
  try {
    return await create({ ...options, signal: delayed.signal });
  } finally {
    stopListening();
    stopTimer();
  }
}

/** Codes of a look-up that would fail again in the same way. */
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

/** Polls for the object of a creation that is in progress. */
async function pollFor(creation: Creation, giveUpAt: number): Promise<Found | undefined> {
  const until = Math.min(giveUpAt, performance.now() + pollTimeoutMs);
  for (let round = 1; performance.now() < until && !isSpent(creation.budget); round++) {
    await creation.budget.sleep(pauseMs(round));
    const found = await lookUp(creation, giveUpAt);
    if (found) return found;
  }
  return undefined;
}

/**
 * Removes the object of an abandoned creation. Finding the object and removing it each have their own time limit.
 *
 * @returns the state of an object that may remain; undefined if it was removed
 */
async function removeLeftover({ budget, mark, find, remove }: Creation): Promise<Leftover | undefined> {
  const { metadata } = budget.caller;
  const giveUpAt = performance.now() + leftoverTimeoutMs;
  for (const pause of leftoverPausesMs) {
    await sleep(pause);
    const timeoutMs = Math.max(1, giveUpAt - performance.now());
    const options = { signal: neverAborts, metadata, timeoutMs, retry: false } as const;
    // A failed look-up is treated as one without a result.
    const found = await find(options).catch(() => undefined);
    if (found?.mark?.nonce !== mark.nonce) continue;
    try {
      await remove(found.id, { signal: neverAborts, metadata, timeoutMs: rollbackTimeoutMs });
      return undefined;
    } catch {
      // The caller's error already has `mayHaveTakenEffect`.
      return "half removed";
    }
  }
  return "usable";
}

function isReplyLost(failure: unknown): boolean {
  return CriError.is(failure, ...lostReplyCodes) && failure.mayHaveTakenEffect;
}

function isSpent(budget: Budget): boolean {
  const left = budget.leftMs();
  return left !== undefined && left < 5;
}

function pauseMs(round: number): number {
  return 20 + backoffMs(round, { initialBackoffMs: 100, maxBackoffMs: 1_000 });
}

function nameReserved(creation: Creation, found: Found, cause: unknown): NameReservedError {
  const { attempts } = (cause ?? {}) as Partial<CriError>;
  const same = found.mark?.hash === creation.mark.hash;
  const remedy = same && found.fresh ? "adopt it with adopt: true" : "use it through get()";
  return new NameReservedError({
    message:
      `${creation.description} already exists as ${found.id} (${found.state}, created from ${same ? "the same" : "another"} ` +
      `configuration); ${remedy}, remove it, or create this one with a higher attempt`,
    holderId: found.id,
    ...creation.origin,
    attempts,
    cause,
  });
}

function timedOut({ description, origin }: Creation): CriError {
  const message = `${description} was not created within the time limit`;
  return new CriError({ ...origin, code: "DEADLINE_EXCEEDED", message });
}
