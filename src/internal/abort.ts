import { setMaxListeners } from "node:events";

/** A signal that follows others and can be aborted by its owner. */
export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Takes the listeners off the parents. Owed by whoever made the link: a parent may live as long as the process. */
  unlink(): void;
}

/**
 * Links a new signal to its parents: the first that aborts passes its reason on. Unlike `AbortSignal.any`, which has kept
 * composites of long-lived signals alive in several Node.js releases, the link is undone by hand.
 */
export function linkAbort(...parents: readonly (AbortSignal | undefined)[]): LinkedAbort {
  const controller = new AbortController();
  const undo: (() => void)[] = [];
  const unlink = () => {
    for (const remove of undo.splice(0)) remove();
  };
  for (const parent of parents) {
    if (!parent) continue;
    if (parent.aborted) {
      controller.abort(parent.reason);
      break;
    }
    const follow = () => {
      unlink();
      controller.abort(parent.reason);
    };
    parent.addEventListener("abort", follow, { once: true });
    undo.push(() => parent.removeEventListener("abort", follow));
  }
  if (controller.signal.aborted) unlink();
  return { signal: controller.signal, abort: (reason) => controller.abort(reason), unlink };
}

/** A controller whose signal many calls at once will listen to, without Node.js taking that for a leak. */
export function sharedAbortController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
