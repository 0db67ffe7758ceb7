/** What happened in one sequence, line by line, for whoever has to understand a failure. */
export class History {
  readonly #startedAt = performance.now();
  readonly #lines: string[] = [];

  note(text: string): void {
    this.#lines.push(`${(performance.now() - this.#startedAt).toFixed(1).padStart(8)} ms  ${text}`);
  }

  toString(): string {
    const left = this.#lines.length - 400;
    return left > 0 ? `… ${left} lines before …\n${this.#lines.slice(-400).join("\n")}` : this.#lines.join("\n");
  }
}

/** How much was tried, of all sequences together: a test that tries nothing passes as well. */
export class Statistics {
  readonly #counts = new Map<string, Map<string, number>>();

  count(topic: string, item: string, by = 1): void {
    const items = this.#counts.get(topic) ?? new Map<string, number>();
    this.#counts.set(topic, items);
    items.set(item, (items.get(item) ?? 0) + by);
  }

  of(topic: string, item?: string): number {
    const items = this.#counts.get(topic) ?? new Map<string, number>();
    if (item !== undefined) return items.get(item) ?? 0;
    return [...items.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return [...this.#counts]
      .map(([topic, items]) => {
        const parts = [...items].sort(([, a], [, b]) => b - a).map(([item, count]) => `${item} ${count}`);
        return `${topic} ${this.of(topic)}: ${parts.join(", ")}`;
      })
      .join("\n");
  }
}
