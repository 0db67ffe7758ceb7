/** The description of the node, from a runtime and this machine. */
import { cpus, hostname } from "node:os";
import { expect, test } from "vitest";
import { describeNode } from "../../../src/kubernetes/index.js";
import { startFake } from "../support.js";

test("the runtime's driver and features, this machine's facts, and a kubelet's defaults are combined", async () => {
  const { cri } = await startFake({ flavor: "cri-o", runtimeHandlers: ["crun"] });
  const node = await describeNode(cri, {
    clusterDns: ["10.96.0.10"],
    evictionHard: { "memory.available": "1Gi" },
    kubeReserved: { memory: "1Mi" },
    systemReserved: { memory: 24, cpu: "100m" },
  });
  expect(node).toMatchObject({
    cgroupDriver: "systemd",
    recursiveReadOnlyMounts: { "": true, crun: true },
    nodeName: hostname().toLowerCase(),
    capacity: { cpu: String(cpus().length), memory: expect.stringMatching(/^\d+Ki$/) },
    rootDirectory: "/var/lib/k8s-cri-client",
    clusterDns: ["10.96.0.10"],
    cpuCfsQuotaPeriodMs: 100,
  });
  expect(node.reservedMemory).toBe(String(2 ** 20 + 24));
  expect(node.allocatable.memory).not.toBe(node.capacity.memory);
  expect(node).not.toHaveProperty("evictionHard");
});

test("overrides replace what is found, and are checked before any I/O", async () => {
  const { runtime, cri } = await startFake();
  const capacity = { cpu: "1", memory: "1Gi" };
  const node = await describeNode(cri, { cgroupDriver: "systemd", capacity, evictionHard: {}, resolvConf: "" });
  expect(node).toMatchObject({
    cgroupDriver: "systemd",
    capacity,
    allocatable: capacity,
    resolver: { nameservers: [] },
  });
  runtime.clearCalls();
  await expect(describeNode(cri, { nodename: "n" } as never)).rejects.toThrow(/did you mean nodeName/);
  expect(runtime.calls).toEqual([]);
});

test("a runtime without RuntimeConfig has the driver of a kubelet by default", async () => {
  const { cri } = await startFake({ flavor: "containerd-1.7" });
  expect(await describeNode(cri)).toMatchObject({ cgroupDriver: "cgroupfs", recursiveReadOnlyMounts: {} });
});

test("a resolver file that does not exist is named in the error", async () => {
  const { cri } = await startFake();
  await expect(describeNode(cri, { resolvConf: "/nowhere/resolv.conf" })).rejects.toMatchObject({
    code: "FAILED_PRECONDITION",
    message: expect.stringContaining("the node's resolver settings: ENOENT"),
  });
});
