import type { MetricFamily, Sample } from "../../internal/exposition.js";
import { Long, type UInt64Value } from "../../proto.js";
import type { ContainerUsage, PodUsage, UsageSnapshot } from "./snapshot.js";

/** Converts a snapshot to metrics, with the names that the kubelet and cAdvisor use for them. */
export function usageMetrics({ containers, pods, podStatsError }: UsageSnapshot): MetricFamily[] {
  return [
    ...containerMetrics.map((metric) => family(metric, containers, containerLabels)),
    ...podMetrics.map((metric) => family(metric, pods, podLabels)),
    {
      name: "resource_scrape_error",
      help: "1 if the runtime refused the stats of pods, 0 otherwise.",
      type: "gauge",
      samples: [{ labels: [], value: podStatsError ? "1" : "0" }],
    },
  ];
}

/** A value, and the labels that distinguish it from others of the same object; `undefined` if the runtime does not report it. */
type Value = { value: string; at?: Long | undefined; labels?: Sample["labels"] } | undefined;

type Metric<T> = readonly [name: string, help: string, type: MetricFamily["type"], values: (object: T) => Value[]];

const containerMetrics: readonly Metric<ContainerUsage>[] = [
  [
    "container_cpu_usage_seconds_total",
    "CPU time used by the container, in seconds of one core.",
    "counter",
    ({ stats: { cpu } }) => [seconds(cpu?.usageCoreNanoSeconds, cpu?.timestamp)],
  ],
  [
    "container_memory_working_set_bytes",
    "Memory of the container that cannot be reclaimed easily.",
    "gauge",
    ({ stats: { memory } }) => [amount(memory?.workingSetBytes, memory?.timestamp)],
  ],
  [
    "container_memory_usage_bytes",
    "Memory used by the container, file cache included.",
    "gauge",
    ({ stats: { memory } }) => [amount(memory?.usageBytes, memory?.timestamp)],
  ],
  [
    "container_memory_rss",
    "Anonymous memory of the container, in bytes.",
    "gauge",
    ({ stats: { memory } }) => [amount(memory?.rssBytes, memory?.timestamp)],
  ],
  [
    "container_spec_memory_limit_bytes",
    "Memory limit of the container; absent without one.",
    "gauge",
    ({ memory, stats }) => [
      memory?.limitBytes === undefined ? undefined : { value: `${memory.limitBytes}`, at: stats.memory?.timestamp },
    ],
  ],
  [
    "container_memory_failures_total",
    "Page faults of the container.",
    "counter",
    ({ stats: { memory } }) => [
      labelled(amount(memory?.pageFaults, memory?.timestamp), "failure_type", "pgfault"),
      labelled(amount(memory?.majorPageFaults, memory?.timestamp), "failure_type", "pgmajfault"),
    ],
  ],
  [
    "container_swap_usage_bytes",
    "Swap used by the container.",
    "gauge",
    ({ stats: { swap } }) => [amount(swap?.swapUsageBytes, swap?.timestamp)],
  ],
  [
    "container_fs_usage_bytes",
    "Bytes that the container has written to its own layer.",
    "gauge",
    ({ stats: { writableLayer: layer } }) => [amount(layer?.usedBytes, layer?.timestamp)],
  ],
];

const podMetrics: readonly Metric<PodUsage>[] = [
  [
    "pod_cpu_usage_seconds_total",
    "CPU time used by the pod, in seconds of one core.",
    "counter",
    (pod) => [seconds(node(pod)?.cpu?.usageCoreNanoSeconds, node(pod)?.cpu?.timestamp)],
  ],
  [
    "pod_memory_working_set_bytes",
    "Memory of the pod that cannot be reclaimed easily.",
    "gauge",
    (pod) => [amount(node(pod)?.memory?.workingSetBytes, node(pod)?.memory?.timestamp)],
  ],
  ["container_network_receive_bytes_total", "Bytes received by the pod.", "counter", traffic("rxBytes")],
  ["container_network_receive_errors_total", "Errors while receiving.", "counter", traffic("rxErrors")],
  ["container_network_transmit_bytes_total", "Bytes sent by the pod.", "counter", traffic("txBytes")],
  ["container_network_transmit_errors_total", "Errors while sending.", "counter", traffic("txErrors")],
];

function family<T>(
  [name, help, type, values]: Metric<T>,
  objects: readonly T[],
  labelsOf: (object: T) => Sample["labels"],
): MetricFamily {
  const samples = objects.flatMap((object) =>
    values(object)
      .filter((value) => value !== undefined)
      .map(({ value, at, labels = [] }) => ({ value, at, labels: [...labelsOf(object), ...labels] })),
  );
  return { name, help, type, samples };
}

function containerLabels({ id, name, pod, image }: ContainerUsage): Sample["labels"] {
  return [
    ["namespace", pod?.namespace ?? ""],
    ["pod", pod?.name ?? ""],
    ["container", name],
    ["id", id],
    ["image", image?.reference ?? image?.id ?? ""],
  ];
}

function podLabels({ id, name, namespace }: PodUsage): Sample["labels"] {
  return [
    ["namespace", namespace],
    ["pod", name],
    ["id", id],
  ];
}

function node({ stats }: PodUsage) {
  return stats?.linux ?? stats?.windows;
}

function traffic(counter: "rxBytes" | "rxErrors" | "txBytes" | "txErrors"): (pod: PodUsage) => Value[] {
  return ({ network = [] }) =>
    network.map(({ name, [counter]: value }) =>
      value === undefined ? undefined : { value: `${value}`, labels: [["interface", name]] },
    );
}

function amount(wrapped: UInt64Value | undefined, at: Long | undefined): Value {
  return wrapped && { value: toDigits(wrapped), at };
}

function labelled(value: Value, name: string, label: string): Value {
  return value && { ...value, labels: [[name, label]] };
}

function seconds(wrapped: UInt64Value | undefined, at: Long | undefined): Value {
  if (!wrapped) return undefined;
  const nanoseconds = wrapped.value.toUnsigned();
  const second = Long.fromNumber(1e9, true);
  const fraction = nanoseconds.modulo(second).toString().padStart(9, "0");
  return { value: `${nanoseconds.divide(second)}.${fraction}`, at };
}

/** Formats a 64-bit number exactly. */
export function toDigits({ value }: UInt64Value): string {
  return value.toUnsigned().toString();
}
