/**
 * `k8s-cri-client/prometheus`: metrics in Prometheus' text format, without a further dependency.
 *
 * ```ts
 * import { contentType, formatUsage } from "k8s-cri-client/prometheus";
 *
 * response.setHeader("content-type", contentType).end(formatUsage(await cri.stats.snapshot()));
 * ```
 *
 * Texts can be joined: what `await registry.metrics()` of prom-client gives may come before or after. But serve either
 * {@link formatUsage} or {@link formatMetrics} at one endpoint: a runtime's own metrics may have the same names
 * (`container_cpu_usage_seconds_total`), and strict parsers refuse a family that comes twice.
 *
 * @module
 */
import { exposition, labelName, type MetricFamily, metricName, type Sample } from "./internal/exposition.js";
import { type Metric, type MetricDescriptor, MetricType, type PodSandboxMetrics } from "./proto.js";
import { usageMetrics, whole } from "./resources/usage/metrics.js";
import type { UsageSnapshot } from "./resources/usage/snapshot.js";

/** The media type of these texts. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** Options of {@link formatMetrics}. */
export interface FormatMetricsOptions {
  /** Called for each metric that is left out, with the reason. @defaultValue left out silently */
  onMissed?: ((metric: Metric, reason: string) => void) | undefined;
}

/**
 * Formats the metrics that a runtime makes itself, from `cri.stats.metricDescriptors()` and `cri.stats.podMetrics()`, with the
 * runtime's labels. CRI-O has these RPCs with `included_pod_metrics` set; containerd up to 2.1 answers `UNIMPLEMENTED`:
 * {@link formatUsage} is for every runtime.
 *
 * Leaves out a metric that has no descriptor, no value, or not one label value for each label key of its descriptor, as the
 * kubelet does: with a missing label value, two series would become one. Prometheus would refuse the whole scrape for any of these,
 * so they are left out, too: metrics whose names or label keys become equal when illegal characters are replaced, label keys that
 * Prometheus reserves (`__name__`), and a second value for a series.
 */
export function formatMetrics(
  descriptors: readonly MetricDescriptor[],
  podMetrics: readonly PodSandboxMetrics[],
  { onMissed }: FormatMetricsOptions = {},
): string {
  const families = familiesOf(descriptors);
  const origins = new Map<Sample, Metric>();
  const metrics = podMetrics.flatMap((pod) => [...pod.metrics, ...pod.containerMetrics.flatMap((one) => one.metrics)]);
  for (const metric of metrics) {
    const { name, metricType, labelValues, value, timestamp } = metric;
    const family = families.get(name);
    if (!family) onMissed?.(metric, "the metric has no descriptor");
    else if (family.fault) onMissed?.(metric, family.fault);
    else if (!value) onMissed?.(metric, "the metric has no value");
    else if (labelValues.length !== family.labelKeys.length) {
      onMissed?.(metric, `${labelValues.length} label values for ${family.labelKeys.length} label keys`);
    } else {
      const labels = family.labelKeys.map((key, index) => [key, labelValues[index] as string] as const);
      family.type = metricType === MetricType.COUNTER ? "counter" : "gauge";
      const sample = { labels, value: whole(value), at: timestamp };
      family.samples.push(sample);
      origins.set(sample, metric);
    }
  }
  return exposition(families.values(), (sample, series) =>
    onMissed?.(origins.get(sample) as Metric, `the series ${series} has a value already`),
  );
}

/**
 * What containers and pods use, by any runtime, as metrics under the names that the kubelet and cAdvisor have for it, with their
 * labels `namespace`, `pod`, `container`, `interface`, and `id` and `image` besides. Samples bear the time at which the runtime
 * measured them, where it tells. What it does not tell is left out; so is pressure, as runtimes do not agree on its unit.
 */
export function formatUsage(snapshot: UsageSnapshot): string {
  return exposition(usageMetrics(snapshot));
}

/** A family in the making. */
interface Family extends MetricFamily {
  type: MetricFamily["type"];
  readonly samples: Sample[];
  readonly labelKeys: readonly string[];
  /** Why Prometheus cannot take it. */
  readonly fault: string | undefined;
}

function familiesOf(descriptors: readonly MetricDescriptor[]): ReadonlyMap<string, Family> {
  const firsts = new Map<string, string>();
  const families = new Map<string, Family>();
  for (const { name, help, labelKeys } of descriptors) {
    const spelled = metricName(name);
    const first = firsts.get(spelled) ?? name;
    firsts.set(spelled, first);
    const fault =
      first === name ? faultOf(labelKeys) : `its name and that of ${first} are both ${spelled} in Prometheus`;
    families.set(name, { name, help, labelKeys, type: "gauge", samples: [], fault });
  }
  return families;
}

function faultOf(labelKeys: readonly string[]): string | undefined {
  const spelled = labelKeys.map(labelName);
  const reserved = spelled.find((key) => key.startsWith("__"));
  if (reserved !== undefined) return `Prometheus reserves the label ${reserved}`;
  const known = new Set<string>();
  const twin = spelled.find((key) => known.size === known.add(key).size);
  return twin === undefined ? undefined : `two of its label keys are ${twin} in Prometheus`;
}
