/** How many characters of an id crictl shows. */
const idLength = 13;

/** Shortens an id or a digest to what crictl shows. Commands take it as the beginning of an id. */
export function shortId(id: string, trunc: boolean): string {
  return trunc ? id.replace(/^sha256:/, "").slice(0, idLength) : id;
}

/** The age of something as kubectl prints it: `45s`, `12m`, `3h`, `2d`. */
export function age(date: Date | undefined, now = Date.now()): string {
  if (date === undefined) return "";
  const seconds = Math.max(0, Math.floor((now - date.getTime()) / 1_000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
