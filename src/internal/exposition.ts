import type { Long } from "../proto.js";

/** One value of a metric. */
export interface Sample {
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** The number in decimal digits. */
  readonly value: string;
  /** When the value was measured, in nanoseconds since 1970; undefined, zero or negative if unknown. */
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
 * Formats metrics in Prometheus' text format, version 0.0.4. Omits families without samples, and labels without a value, which
 * mean the same to Prometheus. Illegal characters in names become underscores. Of several samples with the same labels only the
 * first is written, because Prometheus refuses a repeated series.
 *
 * @param onRepeated called for each omitted sample
 */
export function exposition(
  families: Iterable<MetricFamily>,
  onRepeated?: (sample: Sample, series: string) => void,
): string {
  let text = "";
  for (const { name: originalName, help, type, samples } of families) {
    if (samples.length === 0) continue;
    const name = metricName(originalName);
    text += `# HELP ${name} ${escapeLine(help)}\n# TYPE ${name} ${type}\n`;
    const known = new Set<string>();
    for (const sample of samples) {
      const series = `${name}${formatLabels(sample.labels)}`;
      if (known.has(series)) onRepeated?.(sample, series);
      else text += `${series} ${sample.value}${formatTime(sample.at)}\n`;
      known.add(series);
    }
  }
  return text;
}

/** Returns the name of a metric with the illegal characters replaced. */
export function metricName(name: string): string {
  return replaceIllegal(name, /[^a-zA-Z0-9_:]/g);
}

/** Returns the name of a label with the illegal characters replaced. */
export function labelName(name: string): string {
  return replaceIllegal(name, /[^a-zA-Z0-9_]/g);
}

function formatLabels(labels: Sample["labels"]): string {
  const pairs = labels
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${labelName(name)}="${escapeLine(value).replaceAll('"', '\\"')}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

/** Prometheus uses milliseconds. */
function formatTime(at: Long | undefined): string {
  return at?.greaterThan(0) ? ` ${at.divide(1_000_000)}` : "";
}

function replaceIllegal(name: string, illegal: RegExp): string {
  return name.replace(illegal, "_").replace(/^(?=\d|$)/, "_");
}

function escapeLine(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
