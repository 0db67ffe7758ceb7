/** A value of an exposition in Prometheus' text format. */
export interface Series {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads an exposition. Comments are left out. */
export function parseExposition(text: string): Series[] {
  return text.split("\n").flatMap((row) => {
    const [, name, labels = "", value] = line.exec(row) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(label)].map(([, key = "", raw = ""]) => [key, unescaped(raw)]);
    return [{ name, labels: Object.fromEntries(pairs), value: numberOf(value) }];
  });
}

/** Adds up all series of a name whose labels have these values. */
export function total(series: readonly Series[], name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels);
  return series
    .filter((one) => one.name === name && wanted.every(([key, value]) => one.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

function numberOf(value = ""): number {
  if (value === "+Inf") return Number.POSITIVE_INFINITY;
  return value === "-Inf" ? Number.NEGATIVE_INFINITY : Number(value);
}

function unescaped(raw: string): string {
  return raw.replace(/\\(.)/g, (_, character) => (character === "n" ? "\n" : character));
}
