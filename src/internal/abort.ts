/** The callbacks of one signal, behind a single listener. */
interface Callbacks {
  readonly callbacks: Set<() => void>;
  readonly listener: () => void;
}

const callbacksOf = new WeakMap<AbortSignal, Callbacks>();

/** The reason for aborting work that is no longer needed. Traces do not count the end of this work as a failure. */
export class NoLongerNeeded extends DOMException {
  constructor(message: string) {
    super(message, "AbortError");
  }
}

/** Returns whether a value is an AbortSignal, including one from another realm or from a polyfill. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === "object" && value !== null && "aborted" in value && "addEventListener" in value;
}

/**
 * Calls a function once when the signal aborts. Returns a function that removes the callback. All callbacks of a signal share one
 * listener, so that Node.js does not warn about a leak when many calls use the signal.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const entries = callbacksOf.get(signal) ?? createCallbacks(signal);
  const { callbacks, listener } = entries;
  // Every caller gets a new function, so that two callers with the same callback do not share an entry.
  const entry = () => callback();
  if (callbacks.size === 0) signal.addEventListener("abort", listener, { once: true });
  callbacks.add(entry);
  return () => {
    if (callbacks.delete(entry) && callbacks.size === 0) signal.removeEventListener("abort", listener);
  };
}

function createCallbacks(signal: AbortSignal): Callbacks {
  const callbacks = new Set<() => void>();
  const listener = () => {
    const waiting = [...callbacks];
    callbacks.clear();
    for (const callback of waiting) callback();
  };
  const entries = { callbacks, listener };
  callbacksOf.set(signal, entries);
  return entries;
}

/** Settles like the promise, or rejects with the signal's reason as soon as it aborts. The work behind the promise continues. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(signal.reason));
    promise.finally(unlisten).then(resolve, reject);
    if (signal.aborted) reject(signal.reason);
  });
}

/** A signal that aborts with its parents, and that its owner can abort. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Removes the callbacks from the parents. The owner must call this, because a parent may live as long as the process. */
  unlink(): void;
  /** Unlinks, and keeps the signal for a later link unless it has aborted. No other code may still use the signal. */
  recycle(): void;
}

/** Controllers to reuse. Creating one takes longer than all of this package's layers around a call. */
const idleControllers: AbortController[] = [];
const maxIdleControllers = 64;

/**
 * Creates a signal that aborts with the first of its parents, with the same reason. The owner removes the link explicitly: in
 * several Node.js releases, `AbortSignal.any` keeps the composites of long-lived signals in memory.
 */
export function linkAbort(...parents: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = idleControllers.pop() ?? new AbortController();
  const removals: (() => void)[] = [];
  const unlink = () => {
    for (const remove of removals.splice(0)) remove();
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
      removals.push(onAbort(parent, pass));
    }
  }
  const recycle = () => {
    unlink();
    if (!controller.signal.aborted && idleControllers.length < maxIdleControllers) idleControllers.push(controller);
  };
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), unlink, recycle };
}
