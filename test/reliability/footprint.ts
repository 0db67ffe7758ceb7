/** How many handles, requests and timers keep the process alive, by kind. */
export function footprint(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What is there beyond an earlier footprint, once it has had time to go away; nothing if all went. */
export async function growth(before: ReadonlyMap<string, number>, mostMs = 5_000): Promise<string[]> {
  const until = performance.now() + mostMs;
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const grown = [...footprint()].filter(([kind, count]) => count > (before.get(kind) ?? 0));
    if (grown.length === 0) return [];
    if (performance.now() > until) return grown.map(([kind, count]) => `${kind}: ${before.get(kind) ?? 0} → ${count}`);
  }
}
