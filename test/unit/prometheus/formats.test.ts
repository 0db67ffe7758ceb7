import { describe, expect, test } from "vitest";
import { formatMetrics, formatUsage } from "../../../src/prometheus/index.js";
import {
  ContainerStats,
  Long,
  type Metric,
  MetricDescriptor,
  MetricType,
  PodSandboxMetrics,
  PodSandboxStats,
} from "../../../src/proto.js";
import type { ContainerUsage, PodUsage, UsageSnapshot } from "../../../src/resources/usage/snapshot.js";

describe("formatMetrics", () => {
  const descriptors = [
    { name: "cpu_total", help: "CPU.", labelKeys: ["id", "name"] },
    { name: "memory", help: "Memory.", labelKeys: ["id"] },
    { name: "unused", help: "", labelKeys: [] },
  ].map((descriptor) => MetricDescriptor.fromPartial(descriptor));
  const metric = (name: string, value: string | undefined, labelValues: string[], rest = {}) => ({
    name,
    labelValues,
    ...(value !== undefined && { value: { value: Long.fromString(value, true) } }),
    ...rest,
  });

  test("groups the samples of pods and containers by metric", () => {
    const counter = { metricType: MetricType.COUNTER, timestamp: Long.fromString("1795427472989698644") };
    const gauge = { metricType: MetricType.GAUGE };
    const pods = ["p1", "p2"].map((podSandboxId) =>
      PodSandboxMetrics.fromPartial({
        podSandboxId,
        metrics: [metric("memory", "0", [podSandboxId], gauge)],
        containerMetrics: [
          {
            containerId: "c",
            metrics: [metric("cpu_total", "18446744073709551615", [`c of ${podSandboxId}`, "web"], counter)],
          },
        ],
      }),
    );
    expect(formatMetrics(descriptors, pods)).toBe(
      [
        "# HELP cpu_total CPU.",
        "# TYPE cpu_total counter",
        'cpu_total{id="c of p1",name="web"} 18446744073709551615 1795427472989',
        'cpu_total{id="c of p2",name="web"} 18446744073709551615 1795427472989',
        "# HELP memory Memory.",
        "# TYPE memory gauge",
        'memory{id="p1"} 0',
        'memory{id="p2"} 0',
        "",
      ].join("\n"),
    );
  });

  test("omits and reports metrics without descriptor, without value, or without one value for each label key", () => {
    const missed: [string, string][] = [];
    const onMissed = ({ name }: Metric, reason: string) => missed.push([name, reason]);
    const metrics = [
      metric("unheard_of", "1", []),
      metric("memory", undefined, ["x"]),
      metric("cpu_total", "1", ["only id"]),
      metric("cpu_total", "2", ["only id"]),
      metric("memory", "2", ["id", "surplus"]),
      metric("memory", "3", ["id"]),
    ];
    const pods = [PodSandboxMetrics.fromPartial({ metrics })];
    const text = formatMetrics(descriptors, pods, { onMissed });
    expect(text).toBe('# HELP memory Memory.\n# TYPE memory counter\nmemory{id="id"} 3\n');
    expect(formatMetrics(descriptors, pods)).toBe(text);
    expect(missed).toEqual([
      ["unheard_of", "the metric has no descriptor"],
      ["memory", "the metric has no value"],
      ["cpu_total", "1 label values for 2 label keys"],
      ["cpu_total", "1 label values for 2 label keys"],
      ["memory", "2 label values for 1 label keys"],
    ]);
    expect(formatMetrics([], [])).toBe("");
  });
});

describe("omits metrics that would fail a scrape", () => {
  const format = (descriptors: Parameters<typeof MetricDescriptor.fromPartial>[0][], series: [string, string[]][]) => {
    const missed: string[] = [];
    const metrics = series.map(([name, labelValues], value) => ({ name, labelValues, value: { value } }));
    const text = formatMetrics(
      descriptors.map((descriptor) => MetricDescriptor.fromPartial(descriptor)),
      [PodSandboxMetrics.fromPartial({ metrics })],
      { onMissed: ({ name }, reason) => missed.push(`${name}: ${reason}`) },
    );
    return { lines: text.split("\n").filter((line) => line !== "" && !line.startsWith("# HELP")), missed };
  };

  test("the second of two metrics with the same name in Prometheus", () => {
    const names = ["a.b", "a-b", "a_b"];
    expect(
      format(
        names.map((name) => ({ name })),
        names.map((name) => [name, []]),
      ),
    ).toEqual({
      lines: ["# TYPE a_b counter", "a_b 0"],
      missed: [
        "a-b: its name and that of a.b are both a_b in Prometheus",
        "a_b: its name and that of a.b are both a_b in Prometheus",
      ],
    });
  });

  test.each([
    [["x.y", "x_y"], "m: two of its label keys are x_y in Prometheus"],
    [["x", "x"], "m: two of its label keys are x in Prometheus"],
    [["", "_"], "m: two of its label keys are _ in Prometheus"],
    [["x", "__name__"], "m: Prometheus reserves the label __name__"],
    [["x", "..address.."], "m: Prometheus reserves the label __address__"],
  ])("label keys %j", (labelKeys, reason) => {
    const descriptors = [{ name: "m", labelKeys }, { name: "n" }];
    const { lines, missed } = format(descriptors, [
      ["m", ["1", "2"]],
      ["n", []],
    ]);
    expect({ lines, missed }).toEqual({ lines: ["# TYPE n counter", "n 1"], missed: [reason] });
  });

  test("checks a descriptor with 200,000 label keys within 10 seconds", () => {
    const labelKeys = Array.from({ length: 200_000 }, (_, index) => `key${index}`);
    const startedAt = performance.now();
    expect(format([{ name: "m", labelKeys }], [["m", ["1"]]])).toEqual({
      lines: [],
      missed: ["m: 1 label values for 200000 label keys"],
    });
    // To compare each key with all others would take two minutes.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("the second value of a series, where a label without a value does not count", () => {
    const descriptors = [{ name: "m", labelKeys: ["x", "y"] }];
    const { lines, missed } = format(descriptors, [
      ["m", ["1", ""]],
      ["m", ["1", ""]],
      ["m", ["", "1"]],
    ]);
    expect(lines).toEqual(["# TYPE m counter", 'm{x="1"} 0', 'm{y="1"} 2']);
    expect(missed).toEqual(['m: the series m{x="1"} already has a value']);
  });
});

describe("formatUsage", () => {
  const pod = { id: "p", name: "demo", namespace: "default", uid: "u", attempt: 0, labels: {} };
  const nothing = { cpu: undefined, memory: undefined, ioPressure: undefined };
  const container = (stats: Parameters<typeof ContainerStats.fromPartial>[0]): ContainerUsage => ({
    ...{ id: "c", name: "web", attempt: 0, labels: {}, pod, image: { reference: "busybox:1", id: "sha256:1" } },
    ...{ ...nothing, swap: undefined, filesystem: undefined },
    stats: ContainerStats.fromPartial(stats),
  });
  const snapshot = (containers: ContainerUsage[], pods: PodUsage[] = []): UsageSnapshot => ({
    ...{ at: new Date(), containers, pods, podStatsError: undefined },
  });
  const empty = "# HELP resource_scrape_error 1 if the runtime refused the stats of pods, 0 otherwise.\n";

  test("omits values that the runtime does not report, instead of writing 0", () => {
    expect(formatUsage(snapshot([container({})]))).toBe(
      `${empty}# TYPE resource_scrape_error gauge\nresource_scrape_error 0\n`,
    );
  });

  test("writes CPU time in seconds with all nine digits, even if a double is not exact", () => {
    const value = Long.fromString("9007199254740993001", true);
    const text = formatUsage(snapshot([container({ cpu: { timestamp: 5_000_000, usageCoreNanoSeconds: { value } } })]));
    const labels = 'namespace="default",pod="demo",container="web",id="c",image="busybox:1"';
    expect(text).toContain(`container_cpu_usage_seconds_total{${labels}} 9007199254.740993001 5\n`);
  });

  test("writes the network usage of pods by interface, and their CPU time on Linux and Windows", () => {
    const counters = { rxBytes: 7, txBytes: undefined, rxErrors: 0, txErrors: undefined };
    const usage = (stats: Parameters<typeof PodSandboxStats.fromPartial>[0]): PodUsage => ({
      ...{ ...pod, ...nothing, containers: [], processCount: undefined },
      network: [{ name: "eth0", rxBytesPerSecond: undefined, txBytesPerSecond: undefined, ...counters }],
      stats: PodSandboxStats.fromPartial(stats),
    });
    const cpu = { usageCoreNanoSeconds: { value: 1_500_000_000 } };
    for (const stats of [{ linux: { cpu } }, { windows: { cpu } }]) {
      const lines = formatUsage(snapshot([], [usage(stats)])).split("\n");
      expect(lines.filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
        'pod_cpu_usage_seconds_total{namespace="default",pod="demo",id="p"} 1.500000000',
        'container_network_receive_bytes_total{namespace="default",pod="demo",id="p",interface="eth0"} 7',
        'container_network_receive_errors_total{namespace="default",pod="demo",id="p",interface="eth0"} 0',
        "resource_scrape_error 0",
      ]);
    }
  });
});
