import { describe, expect, it, test } from "vitest";
import { NamespaceMode, PodSandboxConfig, PodSandboxStatus } from "../../../src/proto.js";
import { podConfigFromStatus } from "../../../src/specs/pod-from-status.js";

const metadata = { name: "web", namespace: "default", uid: "u", attempt: 1 };
const status = PodSandboxStatus.create({
  id: "abc",
  metadata,
  labels: { a: "b" },
  annotations: { c: "d" },
  linux: { namespaces: { options: { network: NamespaceMode.NODE, pid: NamespaceMode.CONTAINER } } },
});

const fromStatus = {
  metadata,
  labels: { a: "b" },
  annotations: { c: "d" },
  linux: { securityContext: { namespaceOptions: { network: "NODE", pid: "CONTAINER" } } },
};
const json = (info?: Record<string, string>) => PodSandboxConfig.toJSON(podConfigFromStatus(status, info));

describe("containerd's original", () => {
  it("is read with its snake_case names and numeric enums", () => {
    const config = {
      metadata,
      hostname: "web",
      log_directory: "/var/log/pods/web",
      dns_config: { servers: ["10.0.0.1"] },
      port_mappings: [{ protocol: 1, container_port: 53, host_port: 53 }],
      linux: {
        cgroup_parent: "/kubepods",
        security_context: {
          namespace_options: { pid: 1, network: 2 },
          run_as_user: { value: 1000 },
          privileged: true,
          seccomp: { profile_type: 1 },
        },
        resources: { memory_limit_in_bytes: 134217728 },
      },
    };
    expect(json({ info: JSON.stringify({ pid: 1, config }) })).toEqual({
      metadata,
      hostname: "web",
      logDirectory: "/var/log/pods/web",
      dnsConfig: { servers: ["10.0.0.1"] },
      portMappings: [{ protocol: "UDP", containerPort: 53, hostPort: 53 }],
      linux: {
        cgroupParent: "/kubepods",
        securityContext: {
          namespaceOptions: { pid: "CONTAINER", network: "NODE" },
          runAsUser: { value: "1000" },
          privileged: true,
          seccomp: { profileType: "Unconfined" },
        },
        resources: { memoryLimitInBytes: "134217728" },
      },
    });
  });
});

describe("is put together from the status", () => {
  test.each<[string, Record<string, string> | undefined]>([
    ["no info", undefined],
    ["empty info", {}],
    ["no JSON", { info: "{" }],
    ["JSON of another kind", { info: "[1]" }],
    ["null", { info: "null" }],
    ["config of another kind", { info: '{ "config": 5 }' }],
    ["config without metadata", { info: '{ "config": {} }' }],
    ["config of another pod", { info: JSON.stringify({ config: { metadata: { ...metadata, uid: "other" } } }) }],
    [
      "config that cannot be read",
      {
        info: '{ "config": { "metadata": { "name": "web", "attempt": {} }, "linux": { "security_context": { "run_as_user": { "value": "x" } } } } }',
      },
    ],
    [
      "not privileged on CRI-O",
      { info: '{ "runtimeSpec": { "annotations": { "io.kubernetes.cri-o.PrivilegedRuntime": "false" } } }' },
    ],
  ])("%s", (_, info) => {
    expect(json(info)).toEqual(fromStatus);
  });

  it("with CRI-O's word on privileges", () => {
    const info = '{ "runtimeSpec": { "annotations": { "io.kubernetes.cri-o.PrivilegedRuntime": "true" } } }';
    expect(podConfigFromStatus(status, { info }).linux?.securityContext?.privileged).toBe(true);
  });

  it("however little that says", () => {
    expect(podConfigFromStatus(PodSandboxStatus.create({}))).toMatchObject({ metadata: undefined, labels: {} });
  });

  it("without sharing anything", () => {
    const config = podConfigFromStatus(status);
    config.labels.a = "changed";
    config.metadata!.name = "changed";
    expect(status.labels.a).toBe("b");
    expect(status.metadata!.name).toBe("web");
  });
});
