import { describe, expect, test } from "vitest";
import { messageToJson } from "../../../../src/json/message-json.js";
import type {
  ContainerManifest,
  NodeConfig,
  PodManifestSpec,
  ResourcesManifest,
} from "../../../../src/kubernetes/index.js";
import { LinuxContainerResources } from "../../../../src/proto.js";
import { configOf, container, planOf, sandboxOf } from "./plan-of.js";

function resourcesOf(
  resources: ResourcesManifest,
  node: Partial<NodeConfig> = {},
  spec: Partial<PodManifestSpec> = {},
) {
  const plan = planOf({ containers: [container({ resources })], ...spec }, { node });
  return messageToJson(LinuxContainerResources, configOf(plan).linux!.resources!);
}

describe("the CPU of a container", () => {
  test.each<[string, ResourcesManifest, object]>([
    ["a request sets the shares", { requests: { cpu: "1500m" } }, { cpuShares: "1536", cpuPeriod: "100000" }],
    ["a limit is also the request", { limits: { cpu: 2 } }, { cpuShares: "2048", cpuQuota: "200000" }],
    ["shares are at least 2", { requests: { cpu: "1m" } }, { cpuShares: "2" }],
    ["shares are at most 262144", { requests: { cpu: 1000 } }, { cpuShares: "262144" }],
    ["a quota is at least 1 ms", { limits: { cpu: "1m" } }, { cpuQuota: "1000" }],
    ["fractions of a millicore are rounded up", { requests: { cpu: "0.0999" } }, { cpuShares: "102" }],
  ])("%s", (_, resources, expected) => {
    expect(resourcesOf(resources)).toMatchObject(expected);
  });

  test("has another period if the node has one, and no quota if the node does not enforce limits", () => {
    const limited = { limits: { cpu: 1 } };
    expect(resourcesOf(limited, { cpuCfsQuotaPeriodMs: 10 })).toMatchObject({ cpuPeriod: "10000", cpuQuota: "10000" });
    expect(resourcesOf(limited, { cpuCfsQuota: false })).not.toHaveProperty("cpuQuota");
  });

  test("is limited by the pod if the container has no limit", () => {
    const resources = { limits: { cpu: "500m", memory: "1Gi" }, requests: { cpu: "250m" } };
    expect(resourcesOf({}, {}, { resources })).toMatchObject({ cpuQuota: "50000", memoryLimitInBytes: "1073741824" });
  });
});

describe("oom_score_adj", () => {
  const gibibyte = (memory: string) => ({ requests: { memory } });
  test.each<[string, Partial<PodManifestSpec>, number]>([
    [
      "of a burstable container falls with its memory request",
      { containers: [container({ resources: gibibyte("6Gi") })] },
      746,
    ],
    ["of a burstable container is at least 3", { containers: [container({ resources: gibibyte("23.5Gi") })] }, 3],
    ["of a burstable container is at most 999", { containers: [container({ resources: gibibyte("1") })] }, 999],
    ["of a BestEffort pod is 1000", {}, 1000],
    ["of a critical pod of the node is -997", { priorityClassName: "system-node-critical" }, -997],
    [
      "of a Guaranteed pod is -997",
      { containers: [container({ resources: { limits: { cpu: 1, memory: "1Gi" } } })] },
      -997,
    ],
  ])("%s", (_, spec, expected) => {
    expect(Number(configOf(planOf(spec)).linux?.resources?.oomScoreAdj)).toBe(expected);
  });

  test("of a sidecar is at most that of the main container with the smallest request", () => {
    const initContainers = [container({ name: "proxy", restartPolicy: "Always" })];
    const containers: ContainerManifest[] = [
      container({ resources: gibibyte("6Gi") }),
      container({ name: "other", resources: gibibyte("3Gi") }),
    ];
    const plan = planOf({ initContainers, containers });
    expect(Number(configOf(plan, "proxy").linux?.resources?.oomScoreAdj)).toBe(873);
    expect(Number(configOf(plan, "other").linux?.resources?.oomScoreAdj)).toBe(873);
  });

  test("counts memory that only the pod requests, in equal parts", () => {
    const plan = planOf({
      resources: { requests: { memory: "6Gi" } },
      containers: [container({}), container({ name: "b" })],
    });
    expect(Number(configOf(plan, "b").linux?.resources?.oomScoreAdj)).toBe(873);
  });
});

describe("swap", () => {
  const resources = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };
  const node = { cgroupVersion: 2, swapBehavior: "LimitedSwap", swapCapacityBytes: 8 * 2 ** 30 } as const;
  const maxOf = (...args: Parameters<typeof resourcesOf>) => {
    return (resourcesOf(...args).unified as Record<string, string>)["memory.swap.max"];
  };
  test.each<[string, ResourcesManifest, Partial<NodeConfig>, Partial<PodManifestSpec>, string | undefined]>([
    ["is shared by requested memory on cgroup v2", resources, {}, {}, "364899068"],
    ["is off with NoSwap", resources, { swapBehavior: "NoSwap" }, {}, "0"],
    ["is off without a memory request", {}, {}, {}, "0"],
    ["is off for a container whose request is its limit", { limits: { memory: "1Gi" } }, {}, {}, "0"],
    ["is off for a Guaranteed pod", { limits: { memory: "1Gi", cpu: 1 } }, {}, {}, "0"],
    ["is off for a critical pod", resources, {}, { priority: 2_000_000_000 }, "0"],
    ["is not limited without a controller", resources, { swapController: false }, {}, undefined],
  ])("%s", (_, amounts, settings, spec, expected) => {
    expect(maxOf(amounts, { ...node, ...settings }, spec)).toBe(expected);
  });

  test("is off on cgroup v1: the limit of memory and swap is that of memory", () => {
    expect(resourcesOf(resources, { ...node, cgroupVersion: 1 })).toMatchObject({
      memorySwapLimitInBytes: String(2 ** 31),
    });
  });
});

describe("memory QoS", () => {
  const node = { cgroupVersion: 2, swapController: false, memoryQos: true } as const;
  const burstable = { requests: { memory: "1Gi" }, limits: { memory: "2Gi" } };
  const guaranteed = { limits: { cpu: 1, memory: "1Gi" } };
  const tiered = { memoryReservationPolicy: "TieredReservation" } as const;
  const unthrottled = { memoryThrottlingFactor: undefined };
  test.each<[string, ResourcesManifest, Partial<NodeConfig>, { min?: string; low?: string; high?: string }]>([
    ["throttles below the limit", burstable, {}, { high: "2040107008" }],
    [
      "throttles below the memory of the node, thresholds of evictions included, if there is no limit",
      { requests: { memory: "1Gi" } },
      {},
      { high: "22856224768" },
    ],
    [
      "does not throttle below memory that the node reserves",
      { requests: { memory: "1Gi" } },
      { reservedMemory: "4684084Ki" },
      { high: "18539372544" },
    ],
    ["does not throttle without a factor", burstable, unthrottled, {}],
    ["does not throttle a container whose request is its limit", guaranteed, {}, {}],
    ["reserves the request of burstable pods softly", burstable, { ...tiered, ...unthrottled }, { low: "1073741824" }],
    ["reserves the request of Guaranteed pods", guaranteed, tiered, { min: "1073741824" }],
  ])("%s", (_, resources, settings, { min = "0", low = "0", high }) => {
    expect(resourcesOf(resources, { ...node, ...settings }).unified).toEqual({
      "memory.oom.group": "1",
      "memory.min": min,
      "memory.low": low,
      ...(high !== undefined && { "memory.high": high }),
    });
  });

  test("does nothing on cgroup v1", () => {
    expect(resourcesOf(burstable, { ...node, cgroupVersion: 1 })).not.toHaveProperty("unified");
  });

  test("a node that kills single processes has no memory.oom.group", () => {
    expect(resourcesOf({}, { ...node, memoryQos: false, singleProcessOomKill: true })).not.toHaveProperty("unified");
  });
});

test("huge pages are limited for all sizes of the node", () => {
  const limits = { "hugepages-1Gi": "2Gi", memory: "1Gi", cpu: 1 };
  expect(resourcesOf({ limits })).toMatchObject({
    hugepageLimits: [{ pageSize: "2MB" }, { pageSize: "1GB", limit: "2147483648" }],
  });
});

test("huge pages that only the pod limits are limited to that in its containers", () => {
  const spec = { resources: { limits: { "hugepages-2Mi": "8Mi", "hugepages-1Gi": "1Gi", memory: "1Gi" } } };
  const limits = { "hugepages-2Mi": "4Mi", memory: "64Mi" };
  expect(resourcesOf({ limits }, {}, spec)).toMatchObject({
    hugepageLimits: [
      { pageSize: "2MB", limit: "4194304" },
      { pageSize: "1GB", limit: "1073741824" },
    ],
  });
});

describe("the QoS class", () => {
  const guaranteed = { limits: { cpu: 1, memory: "1Gi" } };
  test.each<[string, Partial<PodManifestSpec>]>([
    ["BestEffort", { containers: [container({ resources: { limits: { "ephemeral-storage": "1Gi" } } })] }],
    ["BestEffort", { containers: [container({ resources: { requests: { cpu: 0 } } })] }],
    ["Burstable", { containers: [container({ resources: guaranteed }), container({ name: "b" })] }],
    ["Burstable", { containers: [container({ resources: { ...guaranteed, requests: { cpu: "500m" } } })] }],
    ["Burstable", { containers: [container({ resources: { limits: { memory: "1Gi" } } })] }],
    ["Guaranteed", { containers: [container({ resources: guaranteed })] }],
    ["Guaranteed", { resources: { ...guaranteed, requests: guaranteed.limits } }],
    ["Guaranteed", { resources: {}, containers: [container({ resources: guaranteed })] }],
    ["Burstable", { resources: { requests: { cpu: 1 } }, containers: [container({ resources: guaranteed })] }],
  ])("is %s for %j", (expected, spec) => {
    expect(planOf(spec).qosClass).toBe(expected);
  });
});

describe("the resources of the sandbox", () => {
  test("are the larger of those of an init container beside earlier sidecars and those of all others", () => {
    const cpu = (name: string, amount: string, fields: Partial<ContainerManifest> = {}) => {
      return container({ name, resources: { limits: { cpu: amount, memory: "10Mi" } }, ...fields });
    };
    const sidecar = { restartPolicy: "Always" } as const;
    const plan = planOf({
      initContainers: [cpu("i", "3"), cpu("s", "1", sidecar), cpu("j", "2500m"), cpu("t", "1", sidecar)],
      containers: [cpu("main", "1")],
    });
    expect(Number(sandboxOf(plan).linux?.resources?.cpuQuota)).toBe(350_000);
    expect(Number(sandboxOf(plan).linux?.resources?.memoryLimitInBytes)).toBe(30 * 2 ** 20);
  });

  test("do not contain the overhead, which the pod's cgroup contains", () => {
    const runtimeClass = {
      apiVersion: "node.k8s.io/v1",
      kind: "RuntimeClass",
      metadata: { name: "vm" },
      handler: "kata",
      overhead: { podFixed: { cpu: "250m", memory: "64Mi" } },
    } as const;
    const containers = [container({ resources: { limits: { cpu: 1, memory: "64Mi" } } })];
    const plan = planOf({ containers, runtimeClassName: "vm" }, { objects: { runtimeClasses: [runtimeClass] } });
    const { resources, overhead } = sandboxOf(plan).linux!;
    expect(plan.sandbox(0).runtimeHandler).toBe("kata");
    expect([resources?.cpuQuota, overhead?.cpuQuota].map(Number)).toEqual([100_000, 25_000]);
    expect(plan.cgroup).toMatchObject({ cpuShares: 1280n, cpuQuotaUs: 125_000n, memoryLimitBytes: 2n ** 27n });
  });
});

test("the pod's cgroup has no limit if a container has none, and the node's limit of processes", () => {
  const containers = [container({ resources: { limits: { cpu: 1, memory: "1Gi" } } }), container({ name: "b" })];
  const { cgroup } = planOf({ containers }, { node: { podPidsLimit: 100 } });
  expect(cgroup).toMatchObject({ cpuShares: 1024n, pidsLimit: 100 });
  expect(cgroup).not.toHaveProperty("cpuQuotaUs");
  expect(cgroup).not.toHaveProperty("memoryLimitBytes");
});
