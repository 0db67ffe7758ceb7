/**
 * Finds the known name that a mistyped one most likely stands for: equal except for case, one a prefix of the other, or at most
 * two edits apart.
 */
export function closest(typed: string, known: readonly string[]): string | undefined {
  const given = typed.toLowerCase();
  if (given.length > 60) return undefined;
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.ceil(given.length / 2));
  for (const name of known) {
    const distance = distanceBetween(given, name.toLowerCase());
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function distanceBetween(given: string, wanted: string): number {
  if (given === wanted) return 0;
  const isPrefix = given.length >= 4 && wanted.length >= 4 && (given.startsWith(wanted) || wanted.startsWith(given));
  return Math.min(editDistance(given, wanted), isPrefix ? 1.5 : Number.POSITIVE_INFINITY);
}

/** Levenshtein distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const substitution = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, substitution));
    }
    row = next;
  }
  return row[right.length]!;
}
