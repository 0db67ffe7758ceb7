import { ContainerState, Long, MetricType, PodSandboxState } from "../../proto.js";
import type { HandlersOf } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import { toLong } from "../state/clock.js";
import { usageOf } from "./usage.js";

const labelKeys = ["id", "name", "image"];

const descriptors = [
  { name: "container_cpu_usage_seconds_total", help: "Cumulative cpu time consumed in seconds.", labelKeys },
  { name: "container_memory_working_set_bytes", help: "Current working set in bytes.", labelKeys },
  { name: "container_last_seen", help: "Last time a container was seen by the exporter.", labelKeys },
];

/** Handles the metrics RPCs. Names are cAdvisor's; CRI reports values as integers. */
export function metricsService({ state }: Lifecycle): HandlersOf<"ListMetricDescriptors" | "ListPodSandboxMetrics"> {
  return {
    ListMetricDescriptors: () => ({ descriptors }),

    ListPodSandboxMetrics() {
      const now = state.clock.now();
      const metric = (name: string, metricType: MetricType, value: bigint, labelValues: string[]) => ({
        name,
        timestamp: toLong(now),
        metricType,
        labelValues,
        value: { value: Long.fromString(value.toString(), true) },
      });
      const pods = state.pods.all.filter((pod) => pod.state === PodSandboxState.SANDBOX_READY);
      return {
        podMetrics: pods.map((pod) => ({
          podSandboxId: pod.id,
          metrics: [metric("container_last_seen", MetricType.GAUGE, now / 1_000_000_000n, [pod.id, "POD", ""])],
          containerMetrics: state.containers
            .ofPod(pod)
            .filter((container) => container.state === ContainerState.CONTAINER_RUNNING)
            .map((container) => {
              const labels = [container.id, container.metadata.name, container.config.image?.image ?? ""];
              const { cpuNanoseconds, memoryBytes } = usageOf(container, now);
              const cpuSeconds = cpuNanoseconds / 1_000_000_000n;
              const bytes = BigInt(Math.round(memoryBytes));
              return {
                containerId: container.id,
                metrics: [
                  metric("container_cpu_usage_seconds_total", MetricType.COUNTER, cpuSeconds, labels),
                  metric("container_memory_working_set_bytes", MetricType.GAUGE, bytes, labels),
                ],
              };
            }),
        })),
      };
    },
  };
}
