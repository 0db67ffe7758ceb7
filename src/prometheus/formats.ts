import { checkOptions, type FieldsOf } from "../input/call-options.js";
import { exposition, labelName, type MetricFamily, metricName, type Sample } from "../internal/exposition.js";
import { type Metric, type MetricDescriptor, MetricType, type PodSandboxMetrics } from "../proto.js";
import { toDigits, usageMetrics } from "../resources/usage/metrics.js";
import type { UsageSnapshot } from "../resources/usage/snapshot.js";

/** The media type of the format. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8";

/** Options of {@link formatMetrics}. */
export interface FormatMetricsOptions {
  /** Called for each omitted metric, with the reason. @defaultValue omitted silently */
  onMissed?: ((metric: Metric, reason: string) => void) | undefined;
}

const formatMetricsFields: FieldsOf<FormatMetricsOptions> = { onMissed: true };

/**
 * Formats the runtime's own metrics from `cri.stats.metricDescriptors()` and `cri.stats.podMetrics()`, with the runtime's
 * labels. CRI-O has these RPCs if `included_pod_metrics` is set; containerd up to 2.1 answers `UNIMPLEMENTED`.
 * {@link formatUsage} works with every runtime.
 *
 * Omits a metric without descriptor or value, or without exactly one label value for each label key of its descriptor. The
 * kubelet does the same: without a label value, two series could become one. Also omits metrics for which Prometheus would
 * refuse the whole scrape:
 *
 * - metrics whose names or label keys become equal when illegal characters are replaced
 * - metrics with a label key that Prometheus reserves (`__name__`)
 * - a second value for a series
 */
export function formatMetrics(
  descriptors: readonly MetricDescriptor[],
  podMetrics: readonly PodSandboxMetrics[],
  options: FormatMetricsOptions = {},
): string {
  checkOptions(options, formatMetricsFields);
  const { onMissed } = options;
  const families = familiesOf(descriptors);
  const origins = new Map<Sample, Metric>();
  const metrics = podMetrics.flatMap((pod) => [...pod.metrics, ...pod.containerMetrics.flatMap((one) => one.metrics)]);
  for (const metric of metrics) {
    const { name, metricType, labelValues, value, timestamp } = metric;
    const family = families.get(name);
    if (!family) onMissed?.(metric, "the metric has no descriptor");
    else if (family.problem) onMissed?.(metric, family.problem);
    else if (!value) onMissed?.(metric, "the metric has no value");
    else if (labelValues.length !== family.labelKeys.length) {
      onMissed?.(metric, `${labelValues.length} label values for ${family.labelKeys.length} label keys`);
    } else {
      const labels = family.labelKeys.map((key, index) => [key, labelValues[index] as string] as const);
      family.type = metricType === MetricType.COUNTER ? "counter" : "gauge";
      const sample = { labels, value: toDigits(value), at: timestamp };
      family.samples.push(sample);
      origins.set(sample, metric);
    }
  }
  return exposition(families.values(), (sample, series) =>
    onMissed?.(origins.get(sample) as Metric, `the series ${series} already has a value`),
  );
}

/**
 * Formats the usage of containers and pods under the metric names of the kubelet and cAdvisor. Works with every runtime.
 *
 * The labels are those of the kubelet and cAdvisor (`namespace`, `pod`, `container`, `interface`), and also `id` and `image`.
 * Samples have the time at which the runtime measured them, if it reports one. Omits values that the runtime does not report, and
 * pressure, because runtimes use different units for it.
 */
export function formatUsage(snapshot: UsageSnapshot): string {
  return exposition(usageMetrics(snapshot));
}

/** A family to which samples are added. */
interface Family extends MetricFamily {
  type: MetricFamily["type"];
  readonly samples: Sample[];
  readonly labelKeys: readonly string[];
  /** Why Prometheus would refuse the family. */
  readonly problem: string | undefined;
}

function familiesOf(descriptors: readonly MetricDescriptor[]): ReadonlyMap<string, Family> {
  const firsts = new Map<string, string>();
  const families = new Map<string, Family>();
  for (const { name, help, labelKeys } of descriptors) {
    const legalName = metricName(name);
    const first = firsts.get(legalName) ?? name;
    firsts.set(legalName, first);
    const problem =
      first === name ? labelProblem(labelKeys) : `its name and that of ${first} are both ${legalName} in Prometheus`;
    families.set(name, { name, help, labelKeys, type: "gauge", samples: [], problem });
  }
  return families;
}

function labelProblem(labelKeys: readonly string[]): string | undefined {
  const legalKeys = labelKeys.map(labelName);
  const reserved = legalKeys.find((key) => key.startsWith("__"));
  if (reserved !== undefined) return `Prometheus reserves the label ${reserved}`;
  const known = new Set<string>();
  const duplicate = legalKeys.find((key) => known.size === known.add(key).size);
  return duplicate === undefined ? undefined : `two of its label keys are ${duplicate} in Prometheus`;
}
