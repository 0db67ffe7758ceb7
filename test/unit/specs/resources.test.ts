import { describe, expect, it, test } from "vitest";
import { LinuxContainerResources } from "../../../src/proto.js";
import { type ResourcesSpec, toLinuxResources, toOverhead } from "../../../src/specs/resources.js";
import { refusal } from "./refusal.js";

const json = (spec: ResourcesSpec) => LinuxContainerResources.toJSON(toLinuxResources(spec, "r")!);

test.each<[string, ResourcesSpec, object]>([
  ["nothing", {}, {}],
  ["a request in millicores", { requests: { cpu: "500m" } }, { cpuShares: "512" }],
  ["a request in cores", { requests: { cpu: 0.5 } }, { cpuShares: "512" }],
  ["a share is rounded down", { requests: { cpu: "3m" } }, { cpuShares: "3" }],
  ["shares are at least 2", { requests: { cpu: "1m" } }, { cpuShares: "2" }],
  ["a request of zero", { requests: { cpu: 0 } }, { cpuShares: "2" }],
  ["shares are at most 262144", { requests: { cpu: 1000 } }, { cpuShares: "262144" }],
  ["a limit is a request too", { limits: { cpu: 2 } }, { cpuShares: "2048", cpuPeriod: "100000", cpuQuota: "200000" }],
  [
    "request next to limit",
    { requests: { cpu: "100m" }, limits: { cpu: "1500m" } },
    { cpuShares: "102", cpuPeriod: "100000", cpuQuota: "150000" },
  ],
  ["a quota is at least 1 ms", { limits: { cpu: "1m" } }, { cpuShares: "2", cpuPeriod: "100000", cpuQuota: "1000" }],
  ["finer than a millicore rounds up", { requests: { cpu: "10.1m" } }, { cpuShares: "11" }],
  ["a limit of zero is none", { limits: { cpu: 0, memory: 0 } }, { cpuShares: "2" }],
  ["memory", { limits: { memory: "128Mi" } }, { memoryLimitInBytes: "134217728" }],
  ["memory in thousandths, rounded up", { limits: { memory: "731815514666m" } }, { memoryLimitInBytes: "731815515" }],
  ["whole bytes in thousandths", { limits: { memory: "128974848000m" } }, { memoryLimitInBytes: "128974848" }],
  [
    "thousandths everywhere",
    { requests: { memory: "1048576500m" }, limits: { memory: "1048577000m" }, memoryAndSwapLimit: "2097152001m" },
    { memoryLimitInBytes: "1048577", memorySwapLimitInBytes: "2097153" },
  ],
  ["memory as a number", { limits: { memory: 134217728 } }, { memoryLimitInBytes: "134217728" }],
  ["memory as a bigint", { limits: { memory: 134217728n } }, { memoryLimitInBytes: "134217728" }],
  [
    "a memory request is not sent",
    { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } },
    { memoryLimitInBytes: "67108864" },
  ],
  [
    "memory and swap",
    { limits: { memory: "1Gi" }, memoryAndSwapLimit: "2Gi" },
    { memoryLimitInBytes: "1073741824", memorySwapLimitInBytes: "2147483648" },
  ],
  [
    "huge pages",
    { limits: { "hugepages-2Mi": "64Mi", "hugepages-1Gi": "1Gi", "hugepages-64Ki": undefined } },
    {
      hugepageLimits: [
        { pageSize: "2MB", limit: "67108864" },
        { pageSize: "1GB", limit: "1073741824" },
      ],
    },
  ],
  ["sets", { cpusetCpus: "0-3,7", cpusetMems: "0" }, { cpusetCpus: "0-3,7", cpusetMems: "0" }],
  ["strides", { cpusetCpus: "0-31:2/4" }, { cpusetCpus: "0-31:2/4" }],
  ["OOM score", { oomScoreAdj: -999 }, { oomScoreAdj: "-999" }],
  ["cgroup files", { unified: { "memory.high": "1000" } }, { unified: { "memory.high": "1000" } }],
])("%s", (_, spec, expected) => {
  expect(json(spec)).toEqual(expected);
});

it("is undefined if not set", () => {
  expect(toLinuxResources(undefined, "r")).toBeUndefined();
  expect(toOverhead(undefined, "r")).toBeUndefined();
});

test.each<[unknown, RegExp]>([
  [{ limit: {} }, /^r.limit: unknown field; did you mean limits\?/],
  [{ limits: { cpus: 1 } }, /^r.limits.cpus: unknown field; did you mean cpu\?/],
  [{ limits: [] }, /^r.limits: must be an object/],
  [{ requests: { "hugepages-2Mi": "2Mi" } }, /^r.requests\["hugepages-2Mi"\]: unknown field/],
  [{ requests: { cpu: "two" } }, /^r.requests.cpu: must be a quantity/],
  [{ requests: { cpu: 2 }, limits: { cpu: 1 } }, /^r.requests.cpu: must not exceed the limit/],
  [{ requests: { memory: "2Gi" }, limits: { memory: "1Gi" } }, /^r.requests.memory: must not exceed/],
  [{ limits: { memory: "128m" } }, /^r.limits.memory: .*fractions of a byte.* did you mean M or Mi\?, got "128m"/],
  [{ requests: { memory: "128m" } }, /^r.requests.memory: .*did you mean M or Mi\?/],
  [{ limits: { memory: 128 } }, /^r.limits.memory: 128 bytes are too few.*Mi\?/],
  [{ limits: { memory: -1 } }, /^r.limits.memory: must not be negative/],
  [{ limits: { cpu: "9e15" } }, /^r.limits.cpu: is too large/],
  [{ limits: { "hugepages-2Mi": "3Mi" } }, /^r.limits\["hugepages-2Mi"\]: must be a multiple/],
  [{ limits: { "hugepages-": "3Mi" } }, /^r.limits\["hugepages-"\]: must be a quantity/],
  [{ memoryAndSwapLimit: "1Gi" }, /^r.memoryAndSwapLimit: needs a memory limit: set limits.memory/],
  [{ limits: { memory: "2Gi" }, memoryAndSwapLimit: "1Gi" }, /^r.memoryAndSwapLimit: counts memory and swap together/],
  [{ oomScoreAdj: 1001 }, /^r.oomScoreAdj: must be a whole number from -1000 to 1000/],
  [{ cpusetCpus: "0..3" }, /^r.cpusetCpus: must be a list/],
  [{ cpusetCpus: 3 }, /^r.cpusetCpus: must be a string/],
  [{ unified: { "../memory.max": "1" } }, /^r.unified\["..\/memory.max"\]: .*without '\/'/],
])("refuses %o", (spec, expected) => {
  expect(refusal(() => toLinuxResources(spec as never, "r"))).toMatch(expected);
});

describe("overhead", () => {
  it("is both request and limit", () => {
    expect(LinuxContainerResources.toJSON(toOverhead({ cpu: "250m", memory: "64Ki" }, "o")!)).toEqual({
      cpuShares: "256",
      cpuPeriod: "100000",
      cpuQuota: "25000",
      memoryLimitInBytes: "65536",
    });
  });
  it("accepts memory in thousandths", () => {
    const overhead = toOverhead({ memory: "128974848000m" }, "o");
    expect(overhead?.memoryLimitInBytes.toString()).toBe("128974848");
    expect(refusal(() => toOverhead({ memory: "128m" }, "o"))).toMatch(/^o.memory: .*did you mean M or Mi\?/);
  });
  it("refuses other fields", () => {
    expect(refusal(() => toOverhead({ disk: 1 } as never, "o"))).toMatch(/^o.disk: unknown field/);
  });
});
