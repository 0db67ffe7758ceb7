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

const units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];

/** A number of bytes with three digits and a decimal unit, as crictl prints it: `4.27MB`. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.9995 would be rounded to 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit++;
  }
  return `${unit === 0 ? value : Number(value.toPrecision(3))}${units[unit]}`;
}

/** The name of a pod with its namespace, as commands take it. Empty for a pod that does not exist any more. */
export function podName(pod: { metadata?: { namespace: string; name: string } | undefined } | undefined): string {
  return pod?.metadata ? `${pod.metadata.namespace}/${pod.metadata.name}` : "";
}
