/** The callbacks on one signal, behind a single listener. */
interface Followers {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const followersOf = new WeakMap<AbortSignal, Followers>();

/** Whether a value is an AbortSignal. One from another realm or from a polyfill is, too. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value;
}

/**
 * Calls back once when the signal aborts; returns the function that takes the callback off again. However many calls wait on one
 * signal, it carries one listener, so that Node.js does not take a busy client for a leak.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const followers = followersOf.get(signal) ?? follow(signal);
  const { callbacks, listener } = followers;
  // A callback of its own for every caller, so that two callers with the same function do not share one.
  const entry = () => callback();
  if (callbacks.size === 0) signal.addEventListener("abort", listener, { once: true });
  callbacks.add(entry);
  return () => {
    if (callbacks.delete(entry) && callbacks.size === 0) signal.removeEventListener("abort", listener);
  };
}

function follow(signal: AbortSignal): Followers {
  const callbacks = new Set<() => void>();
  const listener = () => {
    const waiting = [...callbacks];
    callbacks.clear();
    for (const callback of waiting) callback();
  };
  const followers = { callbacks, listener };
  followersOf.set(signal, followers);
  return followers;
}

/** Settles as the promise does, or rejects with the signal's reason as soon as that aborts. The work behind the promise goes on. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(signal.reason));
    promise.finally(unlisten).then(resolve, reject);
    if (signal.aborted) reject(signal.reason);
  });
}

/** A signal that follows others and can be aborted by its owner. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Takes the link off its parents. Owed by whoever made it: a parent may live as long as the process. */
  unlink(): void;
  /** Does that, and leaves the signal to the next link, if it has not aborted: for an owner who knows that nobody looks at it any more. */
  recycle(): void;
}

/** Signals to be used again. To make one takes longer than all of our own layers around a call. */
const idle: AbortController[] = [];
const maxIdle = 64;

/**
 * Links a new signal to its parents: the first that aborts passes its reason on. Unlike `AbortSignal.any`, which has kept
 * composites of long-lived signals alive in several Node.js releases, the link is undone by hand.
 */
export function linkAbort(...parents: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = idle.pop() ?? new AbortController();
  const undo: (() => void)[] = [];
  const unlink = () => {
    for (const remove of undo.splice(0)) remove();
  };
  const aborted = parents.find((parent) => parent?.aborted);
  if (aborted) controller.abort(aborted.reason);
  else {
    for (const parent of parents) {
      if (!parent) continue;
      const pass = () => {
        unlink();
        controller.abort(parent.reason);
      };
      undo.push(onAbort(parent, pass));
    }
  }
  const recycle = () => {
    unlink();
    if (!controller.signal.aborted && idle.length < maxIdle) idle.push(controller);
  };
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), unlink, recycle };
}
