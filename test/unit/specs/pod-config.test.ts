import { describe, expect, it, test } from "vitest";
import { NamespaceMode, PodSandboxConfig, Protocol } from "../../../src/proto.js";
import { toPodSandboxConfig } from "../../../src/specs/pod-config.js";
import type { PodSpec } from "../../../src/specs/pod-spec.js";
import { refusal } from "./refusal.js";

const convert = (spec: Omit<PodSpec, "name"> & { name?: string }) =>
  toPodSandboxConfig({ name: "web", uid: "u", ...spec });
const json = (spec: Omit<PodSpec, "name">) => PodSandboxConfig.toJSON(convert(spec).config) as Record<string, unknown>;

const plain = {
  metadata: { name: "web", namespace: "default", uid: "u" },
  hostname: "web",
  linux: { securityContext: { namespaceOptions: { pid: "CONTAINER" }, seccomp: {} } },
};

it("uses the defaults of a kubelet", () => {
  expect(json({})).toEqual(plain);
  expect(convert({})).toMatchObject({ runtimeHandler: "", terminationGracePeriodSeconds: undefined });
});

it("generates a uid if the spec has none", () => {
  const uids = [0, 1].map(() => toPodSandboxConfig({ name: "web" }).config.metadata!.uid);
  expect(uids[0]).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(uids[0]).not.toBe(uids[1]);
});

test.each<[string, Omit<PodSpec, "name">, object]>([
  [
    "identity",
    { namespace: "team", attempt: 3 },
    { ...plain, metadata: { name: "web", namespace: "team", uid: "u", attempt: 3 } },
  ],
  ["log directory", { logDirectory: "/var/log/pods/web" }, { ...plain, logDirectory: "/var/log/pods/web" }],
  ["log root", { logDirectory: { root: "/logs//" } }, { ...plain, logDirectory: "/logs/default_web_u" }],
  ["log root /", { logDirectory: { root: "/" } }, { ...plain, logDirectory: "/default_web_u" }],
  [
    "labels and annotations",
    { labels: { a: "b" }, annotations: { "c/d": "" } },
    { ...plain, labels: { a: "b" }, annotations: { "c/d": "" } },
  ],
  ["host name", { hostname: "a.example" }, { ...plain, hostname: "a.example" }],
  [
    "DNS",
    { dns: { servers: ["10.0.0.10", "fd00::a"], searches: ["svc.cluster.local"], options: ["ndots:5"] } },
    {
      ...plain,
      dnsConfig: { servers: ["10.0.0.10", "fd00::a"], searches: ["svc.cluster.local"], options: ["ndots:5"] },
    },
  ],
  [
    "Linux settings",
    { sysctls: { "net.core.somaxconn": "1024", "net/ipv4/conf/eth0.1/forwarding": "1" }, cgroupParent: "x.slice" },
    {
      ...plain,
      linux: {
        ...plain.linux,
        sysctls: { "net.core.somaxconn": "1024", "net/ipv4/conf/eth0.1/forwarding": "1" },
        cgroupParent: "x.slice",
      },
    },
  ],
  [
    "resources and overhead",
    { resources: { limits: { memory: "64Mi" } }, overhead: { memory: "1Mi" } },
    {
      ...plain,
      linux: {
        ...plain.linux,
        resources: { memoryLimitInBytes: "67108864" },
        overhead: { memoryLimitInBytes: "1048576" },
      },
    },
  ],
])("%s", (_, spec, expected) => {
  expect(json(spec)).toEqual({ ...expected });
});

it("returns settings that are not part of the config", () => {
  expect(convert({ runtimeHandler: "kata", terminationGracePeriodSeconds: 5 })).toMatchObject({
    runtimeHandler: "kata",
    terminationGracePeriodSeconds: 5,
  });
});

describe("host name by default", () => {
  test.each([
    ["web", "web"],
    ["Web-1.example", "Web-1.example"],
    ["a_b", "a-b"],
    ["a_.b", "a.b"],
    ["a".repeat(70), "a".repeat(63)],
    [`${"a".repeat(62)}-b`, "a".repeat(62)],
  ])("%s → %s", (name, expected) => {
    expect(convert({ name }).config.hostname).toBe(expected);
  });
  it("is empty with hostNetwork", () => {
    expect(convert({ hostNetwork: true }).config.hostname).toBe("");
    expect(convert({ hostNetwork: true, hostname: "" }).config.hostname).toBe("");
  });
});

describe("namespaces", () => {
  const { POD, CONTAINER, NODE } = NamespaceMode;
  test.each<[Omit<PodSpec, "name">, object]>([
    [{}, { network: POD, pid: CONTAINER, ipc: POD }],
    [{ hostNetwork: true }, { network: NODE, pid: CONTAINER, ipc: POD }],
    [{ hostPID: true }, { network: POD, pid: NODE, ipc: POD }],
    [{ hostIPC: true }, { network: POD, pid: CONTAINER, ipc: NODE }],
    [{ shareProcessNamespace: true }, { network: POD, pid: POD, ipc: POD }],
    [
      {
        userNamespace: {
          uids: [{ containerId: 0, hostId: 65536 }],
          gids: [{ containerId: 0, hostId: 70000, length: 10 }],
        },
      },
      {
        usernsOptions: {
          mode: POD,
          uids: [{ containerId: 0, hostId: 65536, length: 65536 }],
          gids: [{ containerId: 0, hostId: 70000, length: 10 }],
        },
      },
    ],
  ])("%o", (spec, expected) => {
    expect(convert(spec).config.linux!.securityContext!.namespaceOptions).toMatchObject(expected);
  });
});

it("maps ports", () => {
  const ports = [
    { containerPort: 80 },
    { containerPort: 53, hostPort: 53, protocol: "UDP", hostIP: "127.0.0.1" },
    { containerPort: 53, hostPort: 53, protocol: "TCP", hostIP: "127.0.0.1" },
    { containerPort: 9, hostPort: 9, protocol: "SCTP", hostIP: "::1" },
    { containerPort: 80 },
  ] as const;
  expect(convert({ ports }).config.portMappings).toEqual([
    { containerPort: 80, hostPort: 0, protocol: Protocol.TCP, hostIp: "" },
    { containerPort: 53, hostPort: 53, protocol: Protocol.UDP, hostIp: "127.0.0.1" },
    { containerPort: 53, hostPort: 53, protocol: Protocol.TCP, hostIp: "127.0.0.1" },
    { containerPort: 9, hostPort: 9, protocol: Protocol.SCTP, hostIp: "::1" },
    { containerPort: 80, hostPort: 0, protocol: Protocol.TCP, hostIp: "" },
  ]);
});

describe("Windows", () => {
  it("has no Linux part", () => {
    const { config } = convert({ windows: { runAsUserName: "ContainerUser", hostProcess: true }, hostNetwork: true });
    expect(config.linux).toBeUndefined();
    expect(config.windows?.securityContext).toEqual({
      runAsUsername: "ContainerUser",
      credentialSpec: "",
      hostProcess: true,
      namespaceOptions: { network: NamespaceMode.NODE },
    });
  });
  it("refuses settings of Linux", () => {
    expect(refusal(() => convert({ windows: {}, sysctls: {} }))).toMatch(/^spec.sysctls: is for Linux/);
  });
});

describe("patch", () => {
  it("is applied last", () => {
    const { config } = convert({ patch: (message) => Object.assign(message, { hostname: "patched" }) });
    expect(config.hostname).toBe("patched");
  });
  it("runs after all checks", () => {
    let called = false;
    const patch = () => {
      called = true;
    };
    refusal(() => convert({ terminationGracePeriodSeconds: -1, patch }));
    expect(called).toBe(false);
  });
});

it("does not change the spec, and shares no objects with it", () => {
  const spec = {
    name: "web",
    labels: { a: "b" },
    dns: { servers: ["10.0.0.1"] },
    ports: [{ containerPort: 80 }],
    security: { supplementalGroups: [1] },
    userNamespace: { uids: [{ containerId: 0, hostId: 1 }], gids: [{ containerId: 0, hostId: 1 }] },
  } satisfies PodSpec;
  const before = structuredClone(spec);
  const { config } = toPodSandboxConfig(spec);
  config.labels.a = "changed";
  config.dnsConfig!.servers.push("changed");
  config.portMappings[0]!.containerPort = 1;
  config.linux!.securityContext!.namespaceOptions!.usernsOptions!.uids[0]!.hostId = 9;
  expect(spec).toEqual(before);
});

test.each<[unknown, RegExp]>([
  [undefined, /^spec: must be an object, got undefined/],
  [{}, /^spec.name: is required/],
  [{ name: "" }, /^spec.name: must not be empty/],
  [{ name: "a b" }, /^spec.name: must be letters/],
  [{ name: "a", namespace: "" }, /^spec.namespace: must not be empty/],
  [{ name: "a", uid: "" }, /^spec.uid: must not be empty/],
  [{ name: "a", uid: "a/b" }, /^spec.uid: must not contain/],
  [{ name: "a", attempt: -1 }, /^spec.attempt: .* got -1/],
  [{ name: "a", attempt: 2 ** 32 }, /^spec.attempt/],
  [{ name: "a", lables: {} }, /^spec.lables: unknown field; did you mean labels\?/],
  [{ name: "a", hostPid: true }, /^spec.hostPid: unknown field; did you mean hostPID\?/],
  [{ name: "a", logDirectory: "logs" }, /^spec.logDirectory: must be an absolute path/],
  [{ name: "a", logDirectory: { root: "logs" } }, /^spec.logDirectory.root: must be an absolute path/],
  [{ name: "a", logDirectory: {} }, /^spec.logDirectory.root: is required/],
  [
    { name: "a".repeat(253), logDirectory: { root: "/logs" } },
    /^spec.logDirectory: would be a folder with a name of \d+ bytes, at most 255/,
  ],
  [{ name: "a", hostname: "a_b" }, /^spec.hostname: must be a host name of RFC 1123/],
  [{ name: "a", hostname: "a".repeat(64) }, /^spec.hostname: .* 63/],
  [{ name: "a", hostname: "x", hostNetwork: true }, /^spec.hostname: cannot be set with hostNetwork/],
  [{ name: "a", hostNetwork: "yes" }, /^spec.hostNetwork: must be true or false/],
  [{ name: "a", hostPID: true, shareProcessNamespace: true }, /^spec.shareProcessNamespace: .* drop one/],
  [{ name: "a", ports: [{}] }, /^spec.ports\[0\].containerPort: is required/],
  [
    { name: "a", ports: [{ containerPort: 0 }] },
    /^spec.ports\[0\].containerPort: must be a whole number from 1 to 65535/,
  ],
  [{ name: "a", ports: [{ containerPort: "80" }] }, /^spec.ports\[0\].containerPort/],
  [{ name: "a", ports: [{ containerPort: 80, hostPort: 65536 }] }, /^spec.ports\[0\].hostPort/],
  [{ name: "a", ports: [{ containerPort: 80, protocol: "tcp" }] }, /^spec.ports\[0\].protocol: .* did you mean "TCP"/],
  [
    { name: "a", ports: [{ containerPort: 80, hostIP: "localhost" }] },
    /^spec.ports\[0\].hostIP: must be an IP address/,
  ],
  [
    {
      name: "a",
      ports: [
        { containerPort: 80, hostPort: 1 },
        { containerPort: 81, hostPort: 1 },
      ],
    },
    /^spec.ports\[1\].hostPort: is already used by spec.ports\[0\]/,
  ],
  [{ name: "a", dns: { servers: ["dns.example"] } }, /^spec.dns.servers\[0\]: must be an IP address/],
  [{ name: "a", dns: { searches: ["a b"] } }, /^spec.dns.searches\[0\]: must not contain white space/],
  [{ name: "a", dns: { options: [{ name: "ndots" }] } }, /^spec.dns.options\[0\]: must be a string/],
  [{ name: "a", dns: { search: [] } }, /^spec.dns.search: unknown field; did you mean searches\?/],
  [{ name: "a", sysctls: { "Net.core": "1" } }, /^spec.sysctls\["Net.core"\]: is not the name of a kernel parameter/],
  [{ name: "a", sysctls: { "net.core.x": 1 } }, /^spec.sysctls\["net.core.x"\]: must be a string; put it in quotes/],
  [{ name: "a", userNamespace: { uids: [], gids: [] } }, /^spec.userNamespace.uids: needs a range/],
  [{ name: "a", userNamespace: { uids: [{ hostId: 1 }] } }, /^spec.userNamespace.uids\[0\].containerId: is required/],
  [
    { name: "a", userNamespace: { uids: [{ containerId: 0, hostId: 2 ** 32 - 1, length: 2 }] } },
    /^spec.userNamespace.uids\[0\].hostId: a range of 2 ids does not fit/,
  ],
  [{ name: "a", security: { runAsGroup: 1 } }, /^spec.security.runAsGroup: needs runAsUser: set both/],
  [{ name: "a", windows: { credentialSpec: { secret: 1 } } }, /^spec.windows.credentialSpec: must be a string$/],
  [{ name: "a", terminationGracePeriodSeconds: 1.5 }, /^spec.terminationGracePeriodSeconds/],
  [{ name: "a", patch: {} }, /^spec.patch: must be a function/],
])("refuses %o", (spec, expected) => {
  expect(refusal(() => toPodSandboxConfig(spec as never))).toMatch(expected);
});
