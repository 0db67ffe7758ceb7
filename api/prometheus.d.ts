// The public types of k8s-cri-client/prometheus. Written by `npm run api`.

export type { ClientMetrics };
export type { ClientMetricsOptions };
export type { FormatMetricsOptions };
export type { MetricsRegistry };
export { contentType };
export { formatMetrics };
export { formatUsage };
export { registerClientMetrics };

import type { Metric } from "k8s-cri-client/proto";
import type { MetricDescriptor } from "k8s-cri-client/proto";
import type { PodSandboxMetrics } from "k8s-cri-client/proto";

interface ClientMetrics extends Disposable {
  unregister(): void;
}

interface ClientMetricsOptions {
  prefix?: string | undefined;
}

interface FormatMetricsOptions {
  onMissed?: ((metric: Metric, reason: string) => void) | undefined;
}

interface MetricsRegistry {
  registerMetric(metric: never): void;
  removeSingleMetric(name: string): void;
}

declare const contentType = "text/plain; version=0.0.4; charset=utf-8";

declare function formatMetrics(
  descriptors: readonly MetricDescriptor[],
  podMetrics: readonly PodSandboxMetrics[],
  options?: FormatMetricsOptions,
): string;

declare function formatUsage(snapshot: UsageSnapshot): string;

declare function registerClientMetrics(registry: MetricsRegistry, options?: ClientMetricsOptions): ClientMetrics;
