/** Delays calls between {@link begin} and {@link end}. */
export class Freeze {
  #waiting: (() => void)[] | undefined;

  begin(): void {
    this.#waiting ??= [];
  }

  end(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const handle of waiting) handle();
  }

  /** Handles a call at once, or when the freeze ends. */
  whenThawed(handle: () => void): void {
    if (this.#waiting) this.#waiting.push(handle);
    else handle();
  }
}
