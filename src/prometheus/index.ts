/**
 * `k8s-cri-client/prometheus`: metrics in Prometheus' text format, without another dependency, and the client's own metrics in a
 * registry of prom-client.
 *
 * ```ts
 * import { contentType, formatUsage } from "k8s-cri-client/prometheus";
 *
 * response.setHeader("content-type", contentType).end(formatUsage(await cri.stats.snapshot()));
 * ```
 *
 * You can concatenate the result with other metrics, such as `await registry.metrics()` of prom-client, to which
 * {@link registerClientMetrics} adds the metrics of the client itself. But serve only one of
 * {@link formatUsage} and {@link formatMetrics} at an endpoint: a runtime's own metrics may have the same names
 * (`container_cpu_usage_seconds_total`), and strict parsers refuse a repeated family.
 *
 * @module k8s-cri-client/prometheus
 */
export {
  type ClientMetrics,
  type ClientMetricsOptions,
  type MetricsRegistry,
  registerClientMetrics,
} from "./client-metrics.js";
export { contentType, type FormatMetricsOptions, formatMetrics, formatUsage } from "./formats.js";
