import { describe, expect, it, test } from "vitest";
import { NamespaceMode, PodSandboxConfig, PodSandboxStatus } from "../../../src/proto.js";
import { toPodSandboxConfig } from "../../../src/specs/pod-config.js";
import { annotatePodConfig, podConfigAnnotation } from "../../../src/specs/pod-config-annotation.js";
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
const json = (info?: Record<string, string>) => PodSandboxConfig.toJSON(podConfigFromStatus(status, info).config);

describe("the configuration that containerd reports", () => {
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

describe("the configuration is derived from the status", () => {
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
      "config that is malformed",
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
    expect(podConfigFromStatus(status, info).incompleteBecause).toContain("did not create the pod");
  });

  it("privileged if CRI-O reports it", () => {
    const info = '{ "runtimeSpec": { "annotations": { "io.kubernetes.cri-o.PrivilegedRuntime": "true" } } }';
    expect(podConfigFromStatus(status, { info }).config.linux?.securityContext?.privileged).toBe(true);
  });

  it("also from an empty status", () => {
    expect(podConfigFromStatus(PodSandboxStatus.create({})).config).toMatchObject({ metadata: undefined, labels: {} });
  });

  it("without sharing objects with it", () => {
    const { config } = podConfigFromStatus(status);
    config.labels.a = "changed";
    config.metadata!.name = "changed";
    expect(status.labels.a).toBe("b");
    expect(status.metadata!.name).toBe("web");
  });
});

describe("the annotation of a pod that this package created", () => {
  const { config } = toPodSandboxConfig({
    name: "web",
    uid: "u",
    attempt: 1,
    labels: { a: "b" },
    annotations: { secret: "of its owner" },
    logDirectory: "/var/log/pods/web",
    dns: { servers: ["10.0.0.1"], searches: ["svc"], options: ["ndots:5"] },
    ports: [{ containerPort: 53, hostPort: 53, protocol: "UDP" }],
    sysctls: { "net.core.somaxconn": "1024" },
    cgroupParent: "/kubepods",
    shareProcessNamespace: true,
    security: { runAsUser: 1000, runAsGroup: 55, seccomp: "Unconfined" },
    resources: { limits: { memory: "64Mi" } },
  });
  const annotations = annotatePodConfig(config);
  const value = annotations[podConfigAnnotation] ?? "";
  const statusWith = (more: Record<string, string>) =>
    PodSandboxStatus.create({ metadata, labels: config.labels, annotations: { ...config.annotations, ...more } });

  it("contains the whole configuration, to which metadata, labels and annotations of the status are added", () => {
    const known = podConfigFromStatus(statusWith(annotations));
    const expected = { ...config, annotations: { ...config.annotations, ...annotations } };
    expect(known).toEqual({ config: PodSandboxConfig.fromPartial(expected) });
  });

  it("keeps an enum number that has no name yet", () => {
    const linux = { securityContext: { namespaceOptions: { network: 7 as NamespaceMode } } };
    const kept = annotatePodConfig(PodSandboxConfig.fromPartial({ linux }));
    expect(podConfigFromStatus(statusWith(kept)).config.linux?.securityContext?.namespaceOptions?.network).toBe(7);
  });

  it("omits labels and annotations, which may contain secrets", () => {
    expect(value).not.toMatch(/of its owner|"labels"/);
    expect(Object.keys(JSON.parse(value).config)).toEqual([
      "hostname",
      "logDirectory",
      "dnsConfig",
      "portMappings",
      "linux",
    ]);
  });

  it("is omitted for a Windows pod, whose settings may contain credentials", () => {
    expect(annotatePodConfig(toPodSandboxConfig({ name: "w", windows: { credentialSpec: "{}" } }).config)).toEqual({});
  });

  it("contains at most 4 KiB, and otherwise the size", () => {
    const searches = (count: number) => ({ searches: Array.from({ length: count }, (_, index) => `domain-${index}`) });
    const large = annotatePodConfig(toPodSandboxConfig({ name: "web", dns: searches(400) }).config);
    expect(large[podConfigAnnotation]).toMatch(/^{"version":1,"omittedBytes":\d+}$/);
    expect(podConfigFromStatus(statusWith(large)).incompleteBecause).toMatch(/^its \d+ bytes exceeded the \d+ bytes/);
    const fitting = annotatePodConfig(toPodSandboxConfig({ name: "web", dns: searches(200) }).config);
    expect(fitting[podConfigAnnotation]).toContain("domain-199");
  });

  test.each([
    ["of a later format", '{"version":2,"config":{}}', /another version of this package/],
    ["that is no JSON", "{", /malformed/],
    ["that is null", "null", /malformed/],
    [
      "with an unknown enum value",
      '{"version":1,"config":{"linux":{"securityContext":{"namespaceOptions":{"network":"UNRECOGNIZED"}}}}}',
      /malformed/,
    ],
    ["without a configuration", '{"version":1}', /malformed/],
    ["with an unknown field", '{"version":1,"config":{"linux":{"user":1000}}}', /malformed/],
    [
      "with a value of another type",
      '{"version":1,"config":{"linux":{"securityContext":{"runAsUser":1000}}}}',
      /malformed/,
    ],
  ])("%s is ignored", (_, annotation, reason) => {
    const known = podConfigFromStatus(statusWith({ [podConfigAnnotation]: annotation }));
    expect(known.incompleteBecause).toMatch(reason);
    expect(known.config.linux?.securityContext?.runAsUser).toBeUndefined();
  });

  it("is ignored on a pod of a kubelet, whose annotations a user of the cluster can set", () => {
    const known = podConfigFromStatus(statusWith({ ...annotations, "kubernetes.io/config.source": "api" }));
    expect(known.incompleteBecause).toContain("kubelet");
    expect(known.config.linux?.securityContext?.runAsUser).toBeUndefined();
  });

  it("is ignored if the runtime reports the configuration itself", () => {
    const info = JSON.stringify({ config: { metadata, hostname: "as-reported" } });
    expect(podConfigFromStatus(statusWith(annotations), { info }).config.hostname).toBe("as-reported");
  });
});
