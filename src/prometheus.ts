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
import { exposition, type MetricFamily, type Sample } from "./internal/exposition.js";
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
 * kubelet does: with a missing label value, two series would become one.
 */
export function formatMetrics(
  descriptors: readonly MetricDescriptor[],
  podMetrics: readonly PodSandboxMetrics[],
  { onMissed }: FormatMetricsOptions = {},
): string {
  const families = new Map(descriptors.map((descriptor) => [descriptor.name, emptyFamily(descriptor)]));
  const metrics = podMetrics.flatMap((pod) => [...pod.metrics, ...pod.containerMetrics.flatMap((one) => one.metrics)]);
  for (const metric of metrics) {
    const { name, metricType, labelValues, value, timestamp } = metric;
    const family = families.get(name);
    if (!family) onMissed?.(metric, "the metric has no descriptor");
    else if (!value) onMissed?.(metric, "the metric has no value");
    else if (labelValues.length !== family.labelKeys.length) {
      onMissed?.(metric, `${labelValues.length} label values for ${family.labelKeys.length} label keys`);
    } else {
      family.type = metricType === MetricType.COUNTER ? "counter" : "gauge";
      const labels = family.labelKeys.map((key, index) => [key, labelValues[index] as string] as const);
      family.samples.push({ labels, value: whole(value), at: timestamp });
    }
  }
  return exposition(families.values());
}

/**
 * What containers and pods use, by any runtime, as metrics under the names that the kubelet and cAdvisor have for it, with their
 * labels `namespace`, `pod`, `container`, `interface`, and `id` and `image` besides. Samples bear the time at which the runtime
 * measured them, where it tells. What it does not tell is left out; so is pressure, as runtimes do not agree on its unit.
 */
export function formatUsage(snapshot: UsageSnapshot): string {
  return exposition(usageMetrics(snapshot));
}

function emptyFamily({ name, help, labelKeys }: MetricDescriptor) {
  return { name, help, labelKeys, type: "gauge" as MetricFamily["type"], samples: [] as Sample[] };
}
