/** Settings of a node: from resolv.conf, a kubelet's configuration, the machine, and the caller. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type NetworkInterfaceInfo, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import { allocatableOf } from "../../../../src/kubernetes/node/allocatable.js";
import { fromKubeletConfiguration } from "../../../../src/kubernetes/node/kubelet-configuration.js";
import { nodeAddresses, thermalStatistics } from "../../../../src/kubernetes/node/machine.js";
import { checkNodeOverrides, type NodeOverrides } from "../../../../src/kubernetes/node/node-overrides.js";
import { parseResolverConfig, readResolverConfig } from "../../../../src/kubernetes/node/resolver-config.js";

describe("resolv.conf", () => {
  test("the last search line and the last value of an option count", () => {
    const text = `# comment
; nameserver 192.0.2.99
nameserver 192.0.2.1
  nameserver 2001:db8::1 # the rest is no address
search ignored.example
search example.org. corp.example .
options ndots:3 rotate
options ndots:5
domain other.example
`;
    expect(parseResolverConfig(text)).toEqual({
      nameservers: ["192.0.2.1", "2001:db8::1"],
      searches: ["example.org", "corp.example", "."],
      options: ["ndots:5", "rotate"],
    });
  });

  test("a given file must exist, and an empty path means no settings", async () => {
    const folder = await mkdtemp(join(tmpdir(), "resolv-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "resolv.conf"), "nameserver 192.0.2.1\n");
    expect((await readResolverConfig(join(folder, "resolv.conf"))).nameservers).toEqual(["192.0.2.1"]);
    expect(await readResolverConfig("")).toEqual({ nameservers: [], searches: [], options: [] });
    await expect(readResolverConfig(join(folder, "missing"))).rejects.toThrow("ENOENT");
  });
});

describe("what pods can use of a node", () => {
  // The capacity and the reservations of the recorded node in shared/kubelet.
  const capacity = {
    cpu: "2",
    memory: "24684084Ki",
    "hugepages-1Gi": "0",
    "hugepages-2Mi": "128Mi",
    "ephemeral-storage": "264212084Ki",
    pods: "60",
  };

  test("is what a real kubelet reports", () => {
    const evictionHard = { "memory.available": "1Mi", "nodefs.available": "1%", "imagefs.available": "1%" };
    expect(allocatableOf(capacity, { evictionHard })).toEqual({
      ...capacity,
      memory: "24551988Ki",
      "ephemeral-storage": "267847642337",
    });
  });

  test("is the capacity without reservations, and never negative", () => {
    const reservations = {
      kubeReserved: { cpu: "100m", memory: "1Gi" },
      systemReserved: { cpu: "200m", "ephemeral-storage": "1000Gi" },
      evictionHard: {},
    };
    expect(allocatableOf(capacity, reservations)).toEqual({
      ...capacity,
      cpu: "1700m",
      memory: "23504436Ki",
      "ephemeral-storage": "0",
    });
  });

  test("is refused to depend on more than all of a resource", () => {
    expect(() => allocatableOf(capacity, { evictionHard: { "memory.available": "101%" } })).toThrow(
      /evictionHard.*at most 100%/,
    );
  });
});

describe("a kubelet's configuration", () => {
  const head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

  test("becomes overrides, and what has no effect is reported", () => {
    const { overrides, ignored } = fromKubeletConfiguration(`${head}
port: 10250
podLogsDir: /var/log/pods
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
resolvConf: ""
cgroupDriver: systemd
cgroupRoot: ""
cgroupsPerQOS: true
seccompDefault: true
cpuCFSQuota: false
cpuCFSQuotaPeriod: 10ms
memorySwap: {swapBehavior: LimitedSwap}
featureGates: {MemoryQoS: true, SomethingElse: true}
memoryThrottlingFactor: 0.8
singleProcessOOMKill: false
podPidsLimit: 100
allowedUnsafeSysctls: ["kernel.shm*", "net.*"]
crashLoopBackOff: {maxContainerRestartPeriod: 1m30s}
kubeReserved: {cpu: 100m}
evictionHard: {memory.available: 1Mi}
fileCheckFrequency: 0s
nodeStatusUpdateFrequency: null
`);
    expect(overrides).toEqual({
      podLogsDirectory: "/var/log/pods",
      clusterDns: ["10.96.0.10"],
      clusterDomain: "cluster.local",
      resolvConf: "",
      cgroupDriver: "systemd",
      cgroupsPerQos: true,
      seccompDefault: true,
      cpuCfsQuota: false,
      cpuCfsQuotaPeriodMs: 10,
      swapBehavior: "LimitedSwap",
      memoryQos: true,
      memoryThrottlingFactor: 0.8,
      singleProcessOomKill: false,
      podPidsLimit: 100,
      allowedUnsafeSysctls: ["kernel.shm*", "net.*"],
      maxRestartDelayMs: 90_000,
      kubeReserved: { cpu: "100m" },
      evictionHard: { "memory.available": "1Mi" },
    } satisfies NodeOverrides);
    expect(ignored).toEqual(["port", "featureGates.SomethingElse", "fileCheckFrequency", "nodeStatusUpdateFrequency"]);
  });

  test("can be an object or JSON", () => {
    const document = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration", podPidsLimit: 7 };
    const expected = { overrides: { podPidsLimit: 7 }, ignored: [] };
    expect(fromKubeletConfiguration(document)).toEqual(expected);
    expect(fromKubeletConfiguration(JSON.stringify(document))).toEqual(expected);
  });

  test.each([
    ["kind: Pod", "document.kind", /must be "KubeletConfiguration"/],
    ["apiVersion: v1\nkind: KubeletConfiguration", "document.apiVersion", /v1beta1/],
    [`${head}clusterDNS: [dns.example]`, "document.clusterDNS[0]", /must be an IP address, got "dns.example"/],
    [`${head}cgroupDriver: systmd`, "document.cgroupDriver", /did you mean "systemd"/],
    [`${head}cpuCFSQuotaPeriod: fast`, "document.cpuCFSQuotaPeriod", /must be a duration such as "100ms"/],
    [`${head}podPidsLimit: "1"`, "document.podPidsLimit", /must be a whole number/],
    [`${head}memorySwap: yes`, "document.memorySwap", /must be an object/],
    [`${head}kubeReserved: {memory: 1GB}`, "document.kubeReserved.memory", /unknown suffix; did you mean G or Gi/],
    [`${head}port: [`, "document", /./],
    [`${head}---\n${head}`, "document", /must be one document/],
    ["", "document", /must be a KubeletConfiguration/],
  ])("%j is refused", (text, field, message) => {
    const refused = () => fromKubeletConfiguration(text);
    expect(refused).toThrow(InvalidInputError);
    expect(refused).toThrow(expect.objectContaining({ field, message: expect.stringMatching(message) }));
  });
});

describe("overrides", () => {
  test("that are not set keep what is found", () => {
    expect(
      checkNodeOverrides({ nodeName: undefined, cgroupVersion: 2, rootDirectory: "/srv/pods//" }, "overrides"),
    ).toEqual({
      cgroupVersion: 2,
      rootDirectory: "/srv/pods",
    });
  });

  test.each([
    [{ clusterDNS: [] }, "overrides.clusterDNS", /did you mean clusterDns/],
    [{ rootDirectory: "pods" }, "overrides.rootDirectory", /must be an absolute path/],
    [{ rootDirectory: "/" }, "overrides.rootDirectory", /must not be the root/],
    [{ cgroupVersion: 3 }, "overrides.cgroupVersion", /must be 1 or 2/],
    [{ cpuCfsQuotaPeriodMs: 0.5 }, "overrides.cpuCfsQuotaPeriodMs", /from 1 to 1000/],
    [{ memoryThrottlingFactor: "0.9" }, "overrides.memoryThrottlingFactor", /must be a number from 0 to 1/],
    [{ hugePageSizesBytes: [0] }, "overrides.hugePageSizesBytes[0]", /must be a whole number/],
    [{ resolver: { nameservers: ["192.0.2.1"], search: [] } }, "overrides.resolver.search", /did you mean searches/],
    [{ recursiveReadOnlyMounts: { runc: "yes" } }, "overrides.recursiveReadOnlyMounts.runc", /must be true or false/],
    [{ capacity: { memory: "lots" } }, "overrides.capacity.memory", /must be a quantity/],
    [{ maskedPaths: ["sys"] }, "overrides.maskedPaths[0]", /must be an absolute path/],
    [{ reservedMemory: "lots" }, "overrides.reservedMemory", /must be a quantity/],
    [[], "overrides", /must be an object/],
  ])("like %j are refused", (overrides, field, message) => {
    expect(() => checkNodeOverrides(overrides as never, "overrides")).toThrow(
      expect.objectContaining({ field, message: expect.stringMatching(message) }),
    );
  });
});

describe("the address of the node", () => {
  const address = (family: "IPv4" | "IPv6", text: string, internal = false) =>
    ({ family, address: text, internal }) as NetworkInterfaceInfo;
  const interfaces = {
    lo: [address("IPv4", "127.0.0.1", true)],
    docker0: [address("IPv4", "172.17.0.1")],
    eth0: [address("IPv6", "fe80::1"), address("IPv6", "2001:db8::10"), address("IPv4", "192.0.2.10")],
  };

  test("is that of the interface with the default route, IPv4 before IPv6", () => {
    expect(nodeAddresses(interfaces, "eth0")).toEqual(["192.0.2.10"]);
    expect(nodeAddresses(interfaces, undefined)).toEqual(["172.17.0.1"]);
    expect(nodeAddresses({ eth0: interfaces.eth0.slice(0, 2) }, "eth0")).toEqual(["2001:db8::10"]);
    expect(nodeAddresses({ lo: interfaces.lo }, "gone")).toEqual([]);
  });
});

test("the thermal statistics of the CPUs are found in the order of the CPUs", async () => {
  const root = await mkdtemp(join(tmpdir(), "cpus-"));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const path of ["cpu10/thermal_throttle", "cpu2/thermal_throttle", "cpu3", "cpufreq/thermal_throttle"]) {
    await mkdir(join(root, path), { recursive: true });
  }
  expect(await thermalStatistics(root)).toEqual([`${root}/cpu2/thermal_throttle`, `${root}/cpu10/thermal_throttle`]);
  expect(await thermalStatistics(`${root}/none`)).toEqual([]);
});
