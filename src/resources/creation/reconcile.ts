import { CriError, type CriErrorCode, NameReservedError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { sleep, startTimer } from "../../internal/timer.js";
import { type CallOptions, rollbackTimeoutMs } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { backoffMs } from "../../transport/retry.js";
import { uncancelled } from "./clean-up.js";
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
  /** Whether the id that {@link create} gives may be that of an older object, so that it takes a look to know. */
  mayBeOlder(options: CallOptions): Promise<boolean>;
  /** Whether {@link create} replaces an object of the same name, so that the name has to be looked up before. @defaultValue false */
  mayReplace?(options: CallOptions): Promise<boolean>;
  /** Whether {@link create} may leave an object behind when it fails. @defaultValue false */
  mayLeaveFailed?(options: CallOptions): Promise<boolean>;
  /** Whether {@link create} waits until its deadline while an earlier creation of the same name is under way. @defaultValue false */
  mayStall?(options: CallOptions): Promise<boolean>;
  /**
   * Whether {@link create} may make a second object of the same name while an earlier creation is under way, as cri-dockerd does.
   * @defaultValue false
   */
  mayDuplicate?(options: CallOptions): Promise<boolean>;
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

/**
 * How long the first repetition of a creation may take where it may stall. Each further one may take twice as long. CRI-O gives the
 * object to the next repetition after the one that waited for it, so a long wait is of no use.
 */
const stalledTimeoutMs = 1_000;

/** For how long to look for what a creation without an answer may be making, where sending it again could make a second one. */
const underWayMs = 3_000;

/**
 * How long a runtime may go on making what is not wanted any more before its call is cancelled. containerd, cancelled in the middle
 * of RunPodSandbox, forgets a shim now and then, which then runs for ever; what it has finished can be removed.
 */
const cancelGraceMs = 1_500;

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

/** In what state something is that a creation left behind: as it made it, or in the middle of its removal. */
type Leftover = "usable" | "half removed";

/** A creation that was given up in doubt. */
interface Abandoned {
  readonly hash: string;
  readonly left: Leftover;
}

/**
 * Creations of this process that were given up in doubt, by nonce. What shows up of them later belongs to nobody: the next creation
 * of the same name takes it over, or removes it if its removal had begun already.
 */
const abandoned = new Map<string, Abandoned>();
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
  const { budget, mark } = creation;
  const doubt = { remains: false, refused: false };
  try {
    return await reconcile(creation, doubt);
  } catch (error) {
    if (!doubt.remains) throw error;
    // Whatever it was that ended it: the creation itself, a look-up, a pause.
    const nobodyWaits = budget.caller.signal?.aborted || isSpent(budget);
    const isOver = nobodyWaits || (doubt.refused && (await mayHaveLeft(creation)));
    const left = isOver ? await removeLeftover(creation) : "usable";
    if (left !== undefined) abandon(mark, left);
    throw CriError.is(error) && error !== budget.caller.signal?.reason ? error.inDoubt() : error;
  }
}

/**
 * @param doubt `remains` says whether the runtime may have made something, or may yet, of which this call knows nothing; `refused`
 *   whether the runtime answered that it failed
 */
async function reconcile(creation: Creation, doubt: { remains: boolean; refused: boolean }): Promise<Created> {
  const { budget, mark } = creation;
  const giveUpAt = performance.now() + reconcileTimeoutMs;
  for (let round = 1; ; round++) {
    budget.caller.signal?.throwIfAborted();
    const mayBeOlder = await creation.mayBeOlder(budget.options());
    let made: string | undefined;
    let failure: unknown;
    const limitMs = await repetitionLimitMs(creation, round);
    let found = (await creation.mayReplace?.(budget.options())) ? await lookUp(creation, giveUpAt) : undefined;
    if (!found) {
      try {
        made = await createUncut(creation, limitMs);
        // An answer that comes when time is up may tell of a wreck: the runtime keeps the deadline too, and containerd goes on without it.
        const late = (budget.leftMs() ?? 1) <= 0;
        doubt.remains = mayBeOlder || late || budget.caller.signal?.aborted === true;
        if (!doubt.remains) return { id: made, adopted: false };
        budget.caller.signal?.throwIfAborted();
        if (late) throw timeIsUp(creation);
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
      if (!found && isLost(failure) && (await creation.mayDuplicate?.(budget.options()))) {
        found = await lookUntilThere(creation, giveUpAt);
      }
    }
    if (made !== undefined && found?.mark?.nonce === mark.nonce) return { id: made, adopted: false };
    if (found) {
      const own = isOwn(found, mark);
      const left = abandoned.get(found.mark?.nonce ?? "")?.left;
      const usable = found.fresh && found.mark?.hash === mark.hash && left !== "half removed";
      if (usable && (own || creation.adopt)) {
        abandoned.delete(found.mark?.nonce ?? "");
        return { id: found.id, adopted: !own };
      }
      if (!own) {
        // The identity is somebody else's, so nothing of this creation can be there.
        doubt.remains = false;
        throw nameTaken(creation, found, failure);
      }
      // If that fails, the next round meets the wreck again.
      await creation.remove(found.id, budget.options()).catch(() => {});
    } else if (made === undefined && !isWorthAnotherRound(failure, limitMs)) throw failure;

    await budget.sleep(pauseMs(round));
    if (isSpent(budget) || performance.now() > giveUpAt) throw failure ?? timeIsUp(creation);
  }
}

/** Whether a creation that failed may have left something. A runtime that does not answer says nothing about it. */
async function mayHaveLeft({ budget, mayLeaveFailed }: Creation): Promise<boolean> {
  const { metadata } = budget.caller;
  const answer = mayLeaveFailed?.({ metadata, timeoutMs: leftoverTimeoutMs, retry: false });
  return (await answer?.catch(() => false)) ?? false;
}

/** The time limit of a creation that repeats one which may be under way, where the runtime would let it wait for all of the budget. */
async function repetitionLimitMs({ budget, mark, mayStall }: Creation, round: number): Promise<number | undefined> {
  const repeats = round > 1 || [...abandoned.values()].some(({ hash }) => hash === mark.hash);
  if (!repeats || !(await mayStall?.(budget.options()))) return undefined;
  return stalledTimeoutMs * 2 ** Math.max(0, round - 2);
}

function isWorthAnotherRound(failure: unknown, limitMs: number | undefined): boolean {
  if (CriError.is(failure, "NAME_RESERVED", "UNAVAILABLE")) return true;
  return limitMs !== undefined && CriError.is(failure, "DEADLINE_EXCEEDED");
}

/** Creates, and hears of the caller's abort a little later. */
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

/** Finds what a creation is making that is under way. */
async function lookUntilThere(creation: Creation, giveUpAt: number): Promise<Found | undefined> {
  const until = Math.min(giveUpAt, performance.now() + underWayMs);
  for (let round = 1; performance.now() < until && !isSpent(creation.budget); round++) {
    await creation.budget.sleep(pauseMs(round));
    const found = await lookUp(creation, giveUpAt);
    if (found) return found;
  }
  return undefined;
}

/**
 * Removes what a creation left behind for which nobody waits any more, on budgets of its own: one for looking, one for removing.
 *
 * @returns what may be left all the same; nothing if it was removed
 */
async function removeLeftover({ budget, mark, find, remove }: Creation): Promise<Leftover | undefined> {
  const { metadata } = budget.caller;
  const giveUpAt = performance.now() + leftoverTimeoutMs;
  for (const pause of leftoverPausesMs) {
    await sleep(pause);
    // A look that fails is as good as one that comes too early.
    const timeoutMs = Math.max(1, giveUpAt - performance.now());
    const options = { signal: uncancelled, metadata, timeoutMs, retry: false } as const;
    const found = await find(options).catch(() => undefined);
    if (found?.mark?.nonce !== mark.nonce) continue;
    try {
      await remove(found.id, { signal: uncancelled, metadata, timeoutMs: rollbackTimeoutMs });
      return undefined;
    } catch {
      // The error under way says already that the creation may have taken effect.
      return "half removed";
    }
  }
  return "usable";
}

/** Leaves what a creation made to the next one of its name. */
export function abandon(mark: CreationMark, left: Leftover): void {
  abandoned.set(mark.nonce, { hash: mark.hash, left });
  const [oldest] = abandoned.keys();
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

function timeIsUp({ what }: Creation): CriError {
  return new CriError({ code: "DEADLINE_EXCEEDED", message: `${what} could not be created in time` });
}
