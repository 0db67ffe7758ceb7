/** The delay after which a back-off begins anew: it counts from the last failure to the next one. */
const resetAfterMs = 600_000;

/** The pauses after a step failed that is not the exit of a container. */
export const retryPauses = { initialMs: 1_000, maxMs: 10_000 };

interface Entry {
  delayMs: number;
  /** When the delay was last increased. */
  since: number;
}

/**
 * The delays between attempts that fail, by key: the first attempt follows at once, later ones after a delay that doubles up to a
 * maximum. A key whose last failure is ten minutes old begins anew. These are the kubelet's rules for containers and pulls.
 */
export class BackOff {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ initialMs = 10_000, maxMs }: { initialMs?: number; maxMs: number }) {
    this.#initialMs = Math.min(initialMs, maxMs);
    this.#maxMs = maxMs;
  }

  /**
   * Returns when the next attempt may begin after a failure: a time in milliseconds since the epoch, in the past if it may begin
   * now.
   */
  readyAt(key: string, failedAt: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined || hasExpired(entry, failedAt) ? failedAt : failedAt + entry.delayMs;
  }

  /** Counts an attempt after a failure: the delay before the next one becomes longer. */
  next(key: string, failedAt: number, now: number): void {
    const entry = this.#entries.get(key);
    const isNew = entry === undefined || hasExpired(entry, failedAt);
    this.#entries.set(key, {
      delayMs: isNew ? this.#initialMs : Math.min(entry.delayMs * 2, this.#maxMs),
      since: now,
    });
  }

  /** Forgets the failures of a key. */
  reset(key: string): void {
    this.#entries.delete(key);
  }
}

function hasExpired({ since }: Entry, failedAt: number): boolean {
  return failedAt - since > resetAfterMs;
}
