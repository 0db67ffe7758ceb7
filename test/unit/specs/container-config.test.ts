import { cpus } from "node:os";
import { describe, expect, it, test } from "vitest";
import { ContainerConfig, Long, NamespaceMode, PodSandboxConfig, Signal } from "../../../src/proto.js";
import { type ContainerContext, readContainerSpec } from "../../../src/specs/container-config.js";
import type { ContainerSpec } from "../../../src/specs/container-spec.js";
import { toPodSandboxConfig } from "../../../src/specs/pod-config.js";
import type { PodSpec } from "../../../src/specs/pod-spec.js";
import { defaultMaskedPaths, defaultReadonlyPaths } from "../../../src/specs/security.js";
import { refusal } from "./refusal.js";

type Rest = Partial<ContainerSpec>;
const podOf = (spec: Partial<PodSpec> = {}) => toPodSandboxConfig({ name: "pod", uid: "u", ...spec }).config;
const toContainerConfig = (spec: ContainerSpec, context: ContainerContext) => readContainerSpec(spec).complete(context);
const convert = (spec: Rest = {}, pod = podOf()) =>
  toContainerConfig({ name: "web", image: "nginx", ...spec }, { pod });

it("uses the defaults of a kubelet", () => {
  const { config, terminationGracePeriodSeconds } = convert();
  expect(ContainerConfig.toJSON(config)).toEqual({
    metadata: { name: "web" },
    image: { image: "nginx", userSpecifiedImage: "nginx" },
    linux: {
      securityContext: {
        namespaceOptions: { pid: "CONTAINER" },
        seccomp: {},
        maskedPaths: defaultMaskedPaths,
        readonlyPaths: defaultReadonlyPaths,
      },
    },
  });
  expect(terminationGracePeriodSeconds).toBeUndefined();
});

test.each<[string, Rest, object]>([
  ["attempt", { attempt: 2 }, { metadata: { name: "web", attempt: 2 } }],
  ["command and args", { command: ["sh", "-c", ""], args: ["a"] }, { command: ["sh", "-c", ""], args: ["a"] }],
  ["working directory", { workingDir: "/srv" }, { workingDir: "/srv" }],
  ["environment", { env: { A: "1" } }, { envs: [{ key: "A", value: Uint8Array.of(49) }] }],
  [
    "labels and annotations",
    { labels: { a: "b" }, annotations: { c: "d" } },
    { labels: { a: "b" }, annotations: { c: "d" } },
  ],
  ["standard input", { stdin: true, stdinOnce: true, tty: true }, { stdin: true, stdinOnce: true, tty: true }],
  ["stop signal", { stopSignal: "SIGUSR1" }, { stopSignal: Signal.SIGNAL_SIGUSR1 }],
  ["CDI devices", { cdiDevices: ["nvidia.com/gpu=all"] }, { CDIDevices: [{ name: "nvidia.com/gpu=all" }] }],
  [
    "devices",
    { devices: [{ hostPath: "/dev/fuse" }, { hostPath: "/dev/a", containerPath: "/dev/b", permissions: "r" }] },
    {
      devices: [
        { hostPath: "/dev/fuse", containerPath: "/dev/fuse", permissions: "rwm" },
        { hostPath: "/dev/a", containerPath: "/dev/b", permissions: "r" },
      ],
    },
  ],
])("%s", (_, spec, expected) => {
  expect(convert(spec).config).toMatchObject(expected);
});

describe("image", () => {
  it.each([
    ["sha256:abc", "sha256:abc"],
    ["", "nginx"],
    [undefined, "nginx"],
  ])("is the resolved id %o next to the reference as written", (image, expected) => {
    const { config } = toContainerConfig({ name: "web", image: "nginx" }, { pod: podOf(), image });
    expect(config.image).toMatchObject({ image: expected, userSpecifiedImage: "nginx" });
  });
});

describe("log path", () => {
  const logs = podOf({ logDirectory: "/var/log/pods/x" });
  test.each<[Rest, PodSandboxConfig, string]>([
    [{}, podOf(), ""],
    [{}, logs, "web.0.log"],
    [{ attempt: 3 }, logs, "web.3.log"],
    [{ logPath: "web/0.log" }, logs, "web/0.log"],
    [{ logPath: "" }, logs, ""],
  ])("%o", (spec, pod, expected) => {
    expect(convert(spec, pod).config.logPath).toBe(expected);
  });

  it("of a long name is shortened to fit a file name with the suffix of a rotation, and stays unique", () => {
    const pathOf = (name: string) =>
      toContainerConfig({ name, image: "nginx", attempt: 4_294_967_295 }, { pod: logs }).config.logPath;
    expect(pathOf("a".repeat(209))).toBe(`${"a".repeat(209)}.4294967295.log`);
    const [long, other] = [pathOf("a".repeat(253)), pathOf(`${"a".repeat(252)}b`)];
    expect(long).not.toBe(other);
    expect(Buffer.byteLength(`${long}.20251123-060000.gz.tmp`)).toBeLessThanOrEqual(255);
  });
});

describe("grace period", () => {
  test.each<[number | undefined, number | undefined, number | undefined]>([
    [undefined, undefined, undefined],
    [undefined, 7, 7],
    [5, 7, 5],
    [0, 7, 0],
  ])("container %s, pod %s: %s", (own, ofPod, expected) => {
    const spec = { name: "web", image: "nginx", terminationGracePeriodSeconds: own };
    const context = { pod: podOf(), terminationGracePeriodSeconds: ofPod };
    expect(toContainerConfig(spec, context).terminationGracePeriodSeconds).toBe(expected);
  });
});

describe("namespaces", () => {
  const { POD, CONTAINER, NODE, TARGET } = NamespaceMode;
  test.each<[Partial<PodSpec>, Rest, object]>([
    [{}, {}, { network: POD, pid: CONTAINER, ipc: POD, targetId: "" }],
    [{ hostNetwork: true, hostPID: true, hostIPC: true }, {}, { network: NODE, pid: NODE, ipc: NODE }],
    [{ shareProcessNamespace: true }, {}, { pid: POD }],
    [{ shareProcessNamespace: true }, { processes: "container" }, { pid: CONTAINER }],
    [{}, { processes: "pod" }, { pid: POD }],
    [{ hostPID: true }, { processes: "host" }, { pid: NODE }],
    [{ hostPID: true }, { processes: "container" }, { pid: CONTAINER }],
    [{ hostNetwork: true }, { processes: { target: "abc" } }, { network: NODE, pid: TARGET, targetId: "abc" }],
  ])("pod %o, container %o", (pod, spec, expected) => {
    expect(convert(spec, podOf(pod)).config.linux!.securityContext!.namespaceOptions).toMatchObject(expected);
  });

  it("include the pod's user namespace, also for mounts", () => {
    const range = [{ containerId: 0, hostId: 65_536, length: 65_536 }];
    const pod = podOf({ userNamespace: { uids: range, gids: range } });
    const own = [{ containerId: 5, hostId: 6, length: 1 }];
    const mounts = [
      { hostPath: "/a", containerPath: "/a" },
      { hostPath: "/b", containerPath: "/b", uidMappings: own, gidMappings: [] },
    ];
    const { config } = convert({ mounts }, pod);
    expect(config.linux!.securityContext!.namespaceOptions!.usernsOptions).toEqual({
      mode: POD,
      uids: range,
      gids: range,
    });
    expect(config.mounts).toMatchObject([
      { uidMappings: range, gidMappings: range },
      { uidMappings: own, gidMappings: [] },
    ]);
  });
});

describe("before the pod is known", () => {
  const read = (spec: Rest) => readContainerSpec({ name: "web", image: "nginx", ...spec });

  it("accepts settings that a pod may permit, and does not run patch", () => {
    read({ patch: () => expect.fail("called"), security: { privileged: true, runAsGroup: 5 }, processes: "host" });
    read({ windows: { hostProcess: true } });
  });

  it.each<[Rest, RegExp]>([
    [{ image: "" }, /^spec.image: must not be empty/],
    [{ security: { runAsUser: -1 } }, /^spec.security.runAsUser: must be a whole number/],
    [{ mounts: [{ hostPath: "h", containerPath: "/c" }] }, /^spec.mounts\[0\].hostPath: must be an absolute path/],
    [{ windows: { processors: 0 } }, /^spec.windows.processors: must be a whole number/],
    [{ windows: { runAsUserName: 5 as never } }, /^spec.windows.runAsUserName: must be a string/],
  ])("refuses %o", (spec, expected) => {
    expect(refusal(() => read(spec))).toMatch(expected);
  });

  it("keeps the values of the spec as they were when it was read", () => {
    const spec = { args: ["a"], env: { A: "1" } };
    const draft = read(spec);
    spec.args.push("b");
    spec.env.A = "2";
    const { config } = draft.complete({ pod: podOf() });
    expect(config.args).toEqual(["a"]);
    expect(config.envs).toEqual([{ key: "A", value: Uint8Array.of(49) }]);
  });
});

it("uses name and attempt of the container that it replaces", () => {
  const metadata = { name: "old", attempt: 4 };
  const { config } = readContainerSpec({ name: "web", image: "nginx" }).complete({
    pod: podOf({ logDirectory: "/logs" }),
    metadata,
  });
  expect(config).toMatchObject({ metadata, logPath: "old.4.log" });
});

describe("Windows", () => {
  const pod = podOf({ windows: { hostProcess: true } });
  it("takes hostProcess from the pod", () => {
    const { config } = convert({ windows: { runAsUserName: "NT AUTHORITY\\SYSTEM" } }, pod);
    expect(config.linux).toBeUndefined();
    expect(config.windows?.securityContext).toEqual({
      runAsUsername: "NT AUTHORITY\\SYSTEM",
      credentialSpec: "",
      hostProcess: true,
    });
    expect(convert({}, pod).config.windows?.securityContext?.hostProcess).toBe(true);
  });
  it("converts limits for the processors of the node, by default of this machine", () => {
    const resources = { limits: { cpu: "2", memory: "1Gi" } };
    const elsewhere = convert({ resources, windows: { processors: 8 } }, pod).config.windows?.resources;
    expect(elsewhere).toMatchObject({
      cpuMaximum: Long.fromNumber(2500),
      memoryLimitInBytes: Long.fromNumber(2 ** 30),
    });
    const here = convert({ resources }, pod).config.windows?.resources?.cpuMaximum.toNumber();
    expect(here).toBe(Math.min(10_000, Math.floor(20_000 / cpus().length)));
  });
  test.each<[Rest, PodSandboxConfig, RegExp]>([
    [{ windows: { hostProcess: false } }, pod, /^spec.windows.hostProcess: must be the same as the pod's/],
    [{ security: {} }, pod, /^spec.security: is for Linux/],
    [{ resources: { oomScoreAdj: 1 } }, pod, /^spec.resources.oomScoreAdj: is for Linux/],
    [{ windows: { processors: 0 } }, pod, /^spec.windows.processors: must be a whole number from 1/],
    [{ windows: {} }, podOf(), /^spec.windows: needs a Windows pod/],
  ])("refuses %o", (spec, inPod, expected) => {
    expect(refusal(() => convert(spec, inPod))).toMatch(expected);
  });
});

it("applies patch last", () => {
  expect(convert({ patch: (config) => config.args.push("--patched") }).config.args).toEqual(["--patched"]);
});

it("changes neither spec nor pod, and shares no objects with them", () => {
  const pod = podOf({ security: { supplementalGroups: [1], selinux: { level: "s0" } } });
  const spec = { name: "web", image: { reference: "nginx", annotations: { a: "b" } }, args: ["x"], labels: { a: "b" } };
  const before = structuredClone(spec);
  const podBefore = PodSandboxConfig.toJSON(pod);
  const { config } = toContainerConfig(spec, { pod });
  config.args.push("changed");
  config.labels.a = "changed";
  config.image!.annotations.a = "changed";
  const context = config.linux!.securityContext!;
  context.namespaceOptions!.pid = NamespaceMode.NODE;
  context.supplementalGroups.pop();
  context.seccomp!.localhostRef = "changed";
  context.selinuxOptions!.level = "changed";
  context.maskedPaths.pop();
  expect(spec).toEqual(before);
  expect(PodSandboxConfig.toJSON(pod)).toEqual(podBefore);
  expect(convert().config.linux!.securityContext!.maskedPaths).toEqual(defaultMaskedPaths);
});

test.each<[unknown, RegExp]>([
  [{ name: "" }, /^spec.name: must not be empty/],
  [{ name: undefined }, /^spec.name: is required/],
  [{ image: undefined }, /^spec.image: is required/],
  [{ comand: ["sh"] }, /^spec.comand: unknown field; did you mean command\?/],
  [{ env: new Map([["A", "1"]]) }, /^spec.env: must be an object or an array of \{ name, value \}, got a Map/],
  [{ labels: new Map() }, /^spec.labels: must be an object of strings, got a Map/],
  [{ security: new Map() }, /^spec.security: must be an object, got a Map/],
  [
    { command: "sleep 1" },
    /^spec.command: must be an array of strings; for a shell command use \["sh", "-c", command\]/,
  ],
  [{ args: [1] }, /^spec.args\[0\]: must be a string, got 1/],
  [{ workingDir: "srv" }, /^spec.workingDir: must be an absolute path/],
  [{ logPath: "/var/log/x" }, /^spec.logPath: must be a relative path/],
  [{ logPath: "../x" }, /^spec.logPath: must not contain/],
  [{ logPath: `main/${"é".repeat(128)}` }, /^spec.logPath: must have names of at most 255 bytes/],
  [{ stdinOnce: true }, /^spec.stdinOnce: needs stdin: true/],
  [{ tty: 1 }, /^spec.tty: must be true or false/],
  [{ stopSignal: "TREM" }, /^spec.stopSignal: .* did you mean SIGTERM/],
  [{ devices: ["/dev/fuse"] }, /^spec.devices\[0\]: must be \{ hostPath \}; names of CDI devices go into cdiDevices/],
  [{ devices: [{ hostPath: "fuse" }] }, /^spec.devices\[0\].hostPath: must be an absolute path/],
  [{ devices: [{ hostPath: "/dev/a", permissions: "rx" }] }, /^spec.devices\[0\].permissions: .*"rwm"/],
  [{ devices: [{ hostPath: "/dev/a", permissions: "rr" }] }, /^spec.devices\[0\].permissions/],
  [{ devices: [{ hostPath: "/dev/a", permissions: "" }] }, /^spec.devices\[0\].permissions/],
  [{ cdiDevices: ["gpu"] }, /^spec.cdiDevices\[0\]: must be the name of a CDI device/],
  [{ processes: "node" }, /^spec.processes: must be one of "container", "pod", "host"/],
  [{ processes: "host" }, /^spec.processes: can only be "host" in a pod with hostPID: true/],
  [{ processes: {} }, /^spec.processes.target: is required/],
  [{ terminationGracePeriodSeconds: -1 }, /^spec.terminationGracePeriodSeconds/],
  [{ resources: { limits: { memory: 1 } } }, /^spec.resources.limits.memory/],
])("refuses %o", (spec, expected) => {
  expect(refusal(() => convert(spec as Rest))).toMatch(expected);
});
