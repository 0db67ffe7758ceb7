/** Counts the handles, requests and timers that keep the process running, by kind. */
export function footprint(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/**
 * Waits until the footprint is not larger than before, at most `timeoutMs`. Returns the resources that have grown, or an empty
 * list.
 */
export async function growth(before: ReadonlyMap<string, number>, timeoutMs = 5_000): Promise<string[]> {
  const until = performance.now() + timeoutMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const grown = [...footprint()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
    if (grown.length === 0) return [];
    if (performance.now() > until) return grown.map(([kind, count]) => `${kind}: ${before.get(kind) ?? 0} → ${count}`);
  }
}
