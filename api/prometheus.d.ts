// The public types of k8s-cri-client/prometheus. Written by `npm run api`.

export type { FormatMetricsOptions };
export { contentType };
export { formatMetrics };
export { formatUsage };

import type { Metric } from "k8s-cri-client/proto";
import type { MetricDescriptor } from "k8s-cri-client/proto";
import type { PodSandboxMetrics } from "k8s-cri-client/proto";

interface FormatMetricsOptions {
  onMissed?: ((metric: Metric, reason: string) => void) | undefined;
}

declare const contentType = "text/plain; version=0.0.4; charset=utf-8";

declare function formatMetrics(
  descriptors: readonly MetricDescriptor[],
  podMetrics: readonly PodSandboxMetrics[],
  options?: FormatMetricsOptions,
): string;

declare function formatUsage(snapshot: UsageSnapshot): string;
