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
 * which means the same to Prometheus. Characters that a name may not have become underscores. Of samples with the same labels the
 * first one stays, as Prometheus takes a series once only.
 *
 * @param onRepeated called for each sample that is left out
 */
export function exposition(
  families: Iterable<MetricFamily>,
  onRepeated?: (sample: Sample, series: string) => void,
): string {
  let text = "";
  for (const { name: given, help, type, samples } of families) {
    if (samples.length === 0) continue;
    const name = metricName(given);
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    const known = new Set<string>();
    for (const sample of samples) {
      const series = `${name}${labelText(sample.labels)}`;
      if (known.has(series)) onRepeated?.(sample, series);
      else text += `${series} ${sample.value}${timeText(sample.at)}\n`;
      known.add(series);
    }
  }
  return text;
}

/** The name of a metric as Prometheus takes it. */
export function metricName(name: string): string {
  return legal(name, /[^a-zA-Z0-9_:]/g);
}

/** The name of a label as Prometheus takes it. */
export function labelName(name: string): string {
  return legal(name, /[^a-zA-Z0-9_]/g);
}

function labelText(labels: Sample["labels"]): string {
  const pairs = labels
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${labelName(name)}="${escaped(value).replaceAll('"', '\\"')}"`);
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
