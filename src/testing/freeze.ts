/** Lets calls through, or holds them until {@link end}. */
export class Freeze {
  #held: (() => void)[] | undefined;

  begin(): void {
    this.#held ??= [];
  }

  end(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const proceed of held) proceed();
  }

  /** Calls back at once, or when the freeze ends. */
  pass(proceed: () => void): void {
    if (this.#held) this.#held.push(proceed);
    else proceed();
  }
}
