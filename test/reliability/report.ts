/** Records the events of one sequence, line by line, for the analysis of failures. */
export class History {
  readonly #startedAt = performance.now();
  readonly #lines: string[] = [];

  note(message: string): void {
    this.#lines.push(`${(performance.now() - this.#startedAt).toFixed(1).padStart(8)} ms  ${message}`);
  }

  toString(): string {
    const omitted = this.#lines.length - 400;
    return omitted > 0 ? `… ${omitted} earlier lines …\n${this.#lines.slice(-400).join("\n")}` : this.#lines.join("\n");
  }
}

/** Counts the operations and faults of all sequences. Without the counts, a test that does nothing would pass unnoticed. */
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
