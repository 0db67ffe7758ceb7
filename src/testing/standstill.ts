/** Lets things pass, or holds them up for a time. */
export class Standstill {
  #held: (() => void)[] | undefined;

  begin(): void {
    this.#held ??= [];
  }

  end(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const proceed of held) proceed();
  }

  /** Calls back at once, or when the standstill is over. */
  pass(proceed: () => void): void {
    if (this.#held) this.#held.push(proceed);
    else proceed();
  }
}
