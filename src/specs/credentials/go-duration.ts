/** The units of Go's durations, in milliseconds. */
const unitsMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

/** Parses a duration of Go, such as `12h` or `1m30s`, to milliseconds. Returns `undefined` if it is malformed. */
export function parseGoDuration(text: string): number | undefined {
  const match = /^([+-]?)((?:(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})(?:ns|us|µs|μs|ms|s|m|h)){1,8}|0)$/.exec(text);
  if (match === null) return undefined;
  const [, sign, amounts = ""] = match;
  let total = 0;
  for (const [, amount = "", unit = ""] of amounts.matchAll(/([\d.]+)([a-zµμ]+)/g)) {
    total += Number(amount) * (unitsMs[unit] ?? 0);
  }
  return sign === "-" ? -total : total;
}
