import type { Long } from "../proto.js";

/** One value of a metric. */
export interface Sample {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The number in decimal digits. */
  readonly value: string;
  /** When it was measured, in nanoseconds since 1970; zero or less, or none, if that is not known. */
  readonly at?: Long | undefined;
}

/** A metric with all its values. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge";
  readonly samples: readonly Sample[];
}

/**
 * Metrics in Prometheus' text format, version 0.0.4. A family without samples is left out, and so is a label without a value,
 * which means the same to Prometheus. Characters that a name may not have become underscores.
 */
export function exposition(families: Iterable<MetricFamily>): string {
  let text = "";
  for (const { name: given, help, type, samples } of families) {
    if (samples.length === 0) continue;
    const name = legal(given, /[^a-zA-Z0-9_:]/g);
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value, at } of samples) text += `${name}${labelText(labels)} ${value}${timeText(at)}\n`;
  }
  return text;
}

function labelText(labels: Sample["labels"]): string {
  const pairs = labels
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${legal(name, /[^a-zA-Z0-9_]/g)}="${escaped(value).replaceAll('"', '\\"')}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

/** Prometheus counts in milliseconds. */
function timeText(at: Long | undefined): string {
  return at?.greaterThan(0) ? ` ${at.divide(1_000_000)}` : "";
}

function legal(name: string, illegal: RegExp): string {
  return name.replace(illegal, "_").replace(/^(?=\d|$)/, "_");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
