/**
 * Requests whose settings the containerd flavours reject, with the codes and messages of containerd 1.6.20, 1.7.24 and 2.1.9.
 *
 * @module
 */
import { Status } from "nice-grpc";
import { describe, expect, test } from "vitest";
import { type ContainerConfig, MountPropagation, NamespaceMode, type PodSandboxConfig } from "../../src/proto.js";
import type { FakeFlavor } from "../../src/testing/index.js";
import { type Connected, containerConfig, failureOf, podConfig, runPod, start } from "./fake-support.js";

type Pod = Parameters<typeof PodSandboxConfig.fromPartial>[0];
type Container = Parameters<typeof ContainerConfig.fromPartial>[0];

/** A refused request, and its error message from containerd 2 and, if it differs, from 1.7. `"OK"` means that 1.7 accepts it. */
type Row<T> = readonly [name: string, request: T, new2: RegExp, old17?: RegExp | "OK"];

const long = "x".repeat(5_000);
const missing = "/no/such/profile.json";

const pods: readonly Row<Pod>[] = [
  [
    "a host name on the node's network",
    { hostname: "h", linux: { securityContext: { namespaceOptions: { network: NamespaceMode.NODE } } } },
    /^failed to start sandbox "\w{64}": .*runc create failed: unable to set hostname without a private UTS namespace$/,
    /^failed to create containerd task: .*UTS namespace: unknown$/,
  ],
  [
    "a kernel parameter of the node",
    { linux: { sysctls: { "kernel.nosuch": "1" } } },
    /sysctl "kernel.nosuch" is not in a separate kernel namespace$/,
    /kernel namespace: unknown$/,
  ],
  [
    "a missing seccomp profile",
    { linux: { securityContext: { seccomp: { profileType: 2, localhostRef: missing } } } },
    /cannot load seccomp profile "\/no\/such\/profile.json": open .*: no such file or directory$/,
  ],
  [
    "a user namespace without mappings",
    { linux: { securityContext: { namespaceOptions: { usernsOptions: { mode: NamespaceMode.POD } } } } },
    /user namespace configuration: can't use user namespace mode "POD" without UID and GID mappings$/,
  ],
  [
    "a group without a user",
    { linux: { securityContext: { runAsGroup: { value: 5 } } } },
    /failed to generate sandbox container spec options: failed to generate user string: user group "5" is specified without user$/,
  ],
  [
    "a label of 5,000 bytes",
    { labels: { k: long } },
    /label key and value length \(5001 bytes\) greater than maximum size \(4096 bytes\), key: k: invalid argument$/,
  ],
];

const creations: readonly Row<Container>[] = [
  [
    "a mount without a source",
    { mounts: [{ containerPath: "/m" }] },
    /failed to generate spec: failed to mkdir "": mkdir : no such file or directory$/,
  ],
  [
    "a recursively read-only mount that is writable",
    { mounts: [{ containerPath: "/m", hostPath: "/tmp", recursiveReadOnly: true }] },
    /recursive read-only mount conflicts with RW mount \(hostPath="\/tmp"\)$/,
    "OK",
  ],
  [
    "an image that is mounted writable",
    { mounts: [{ containerPath: "/m", image: { image: "busybox:1" } }] },
    /failed to mount image volume: readonly must be true while mount image: &Mount\{ContainerPath:\/m,HostPath:,Readonly:false,/,
    /failed to mkdir ""/,
  ],
  [
    "an image and a path of the node",
    { mounts: [{ containerPath: "/m", hostPath: "/tmp", image: { image: "busybox:1" } }] },
    /hostpath must be empty while mount image/,
    "OK",
  ],
  [
    "a missing device",
    { devices: [{ hostPath: "/dev/nosuchdev", containerPath: "/dev/x" }] },
    /lstat \/dev\/nosuchdev: no such file or directory$/,
  ],
  [
    "a CDI device",
    { CDIDevices: [{ name: "vendor.com/class=dev" }] },
    /CDI device injection failed: unresolvable CDI devices vendor.com\/class=dev$/,
    "OK",
  ],
  [
    "a group without a user",
    { linux: { securityContext: { runAsGroup: { value: 5 } } } },
    /failed to get container spec opts: failed to generate user string: user group "5" is specified without user$/,
  ],
  [
    "a user that is not in the image",
    { linux: { securityContext: { runAsUsername: "nobody" } } },
    /mount callback failed on \S+: no users found$/,
  ],
  [
    "a negative user id",
    { linux: { securityContext: { runAsUser: { value: -1 } } } },
    /invalid USER value "-1": uid out of range$/,
    /no users found$/,
  ],
  [
    "a missing seccomp profile",
    { linux: { securityContext: { seccomp: { profileType: 2, localhostRef: missing } } } },
    /failed to create containerd container: cannot load seccomp profile/,
  ],
  [
    "an unknown type of seccomp profile",
    { linux: { securityContext: { seccomp: { profileType: 9 as never } } } },
    /seccomp unknown ProfileType$/,
  ],
  [
    "an AppArmor profile",
    { linux: { securityContext: { apparmor: { profileType: 2, localhostRef: "x" } } } },
    /apparmor is not supported$/,
  ],
  [
    "a privileged container in another pod",
    { linux: { securityContext: { privileged: true } } },
    /spec: failed to generate spec opts: no privileged container allowed in sandbox$/,
    /spec: no privileged container allowed in sandbox$/,
  ],
  [
    "the processes of a missing container",
    { linux: { securityContext: { namespaceOptions: { pid: NamespaceMode.TARGET, targetId: "nosuchctr" } } } },
    /invalid target container: container "nosuchctr" does not exist: not found$/,
  ],
  [
    "a label of 5,000 bytes",
    { labels: { k: long } },
    /^failed to create containerd container: create container failed validation: containers.Labels: .*\(5001 bytes\)/,
  ],
];

const starts: readonly Row<Container>[] = [
  [
    "a relative working directory",
    { workingDir: "rel" },
    /runc create failed: Cwd must be an absolute path$/,
    /Cwd must be an absolute path: unknown$/,
  ],
  [
    "a variable without a name",
    { envs: [{ key: "", value: Buffer.from("x") }] },
    /environment variable name can't be empty/,
  ],
  [
    "a relative path of the node",
    { mounts: [{ hostPath: "rel", containerPath: "/m" }] },
    /error mounting "rel" to rootfs at "\/m"/,
  ],
  ["a mount without a container path", { mounts: [{ hostPath: "/tmp", containerPath: "" }] }, /error closing exec fds/],
  [
    "1 KiB of memory",
    { linux: { resources: { memoryLimitInBytes: 1024 } } },
    /error setting cgroup config for procHooks process/,
  ],
  [
    "a missing processor",
    { linux: { resources: { cpusetCpus: "99999" } } },
    /unable to apply cgroup configuration: failed to write "99999": write \S+: numerical result out of range/,
  ],
  [
    "a malformed set of processors",
    { linux: { resources: { cpusetCpus: "abc" } } },
    /failed to write "abc": write \S+: invalid argument/,
  ],
  ["a quota of 10 µs", { linux: { resources: { cpuQuota: 10 } } }, /error setting cgroup config for procHooks process/],
  [
    "an OOM score adjustment of 5000",
    { linux: { resources: { oomScoreAdj: 5000 } } },
    /can't get final child's PID from pipe: EOF$/,
    /EOF: unknown$/,
  ],
  [
    "a log name of 300 bytes",
    { logPath: "n".repeat(300) },
    /failed to create container loggers: failed to create and open log file: open \S+: file name too long$/,
  ],
];

const named = <T>(rows: readonly Row<T>[]) => rows.map((row) => ({ name: row[0], row }));

const codeOf = (name: string) =>
  name.startsWith("a label")
    ? Status.INVALID_ARGUMENT
    : name.includes("processes of")
      ? Status.NOT_FOUND
      : Status.UNKNOWN;

async function create(
  { runtime }: Pick<Connected, "runtime">,
  podSandboxId: string,
  request: Container,
): Promise<string> {
  const config = { ...containerConfig("main"), ...request };
  return (await runtime.createContainer({ podSandboxId, config, sandboxConfig: podConfig("web") })).containerId;
}

async function expectRefusal(call: Promise<unknown>, name: string, text: RegExp | "OK"): Promise<void> {
  if (text === "OK") await call;
  else expect(await failureOf(call)).toMatchObject({ code: codeOf(name), details: expect.stringMatching(text) });
}

const versions = ["containerd-1.7", "containerd-2"] as const satisfies FakeFlavor[];

describe.each(versions)("%s rejects", (flavor) => {
  const textOf = ([, , new2, old17 = new2]: Row<unknown>) => (flavor === "containerd-2" ? new2 : old17);

  test.each(named(pods))("a pod with $name", async ({ row }) => {
    const { runtime, fake } = await start({ flavor });
    await expectRefusal(runtime.runPodSandbox({ config: { ...podConfig("web"), ...row[1] } }), row[0], textOf(row));
    expect(fake.pods).toEqual([]);
  });

  test.each(named(creations))("a container with $name", async ({ row }) => {
    const connected = await start({ flavor });
    const pod = await runPod(connected);
    await expectRefusal(create(connected, pod, row[1]), row[0], textOf(row));
  });

  test.each(named(starts))("the start of a container with $name", async ({ row }) => {
    const connected = await start({ flavor });
    const containerId = await create(connected, await runPod(connected), row[1]);
    await expectRefusal(connected.runtime.startContainer({ containerId }), row[0], textOf(row));
    expect(connected.fake.containers[0]?.state).toBe(2);
  });

  test("an update that the kernel rejects", async () => {
    const connected = await start({ flavor });
    const containerId = await create(connected, await runPod(connected), {});
    await connected.runtime.startContainer({ containerId });
    for (const linux of [{ cpusetCpus: "99999" }, { memoryLimitInBytes: 1 }]) {
      const error = await failureOf(connected.runtime.updateContainerResources({ containerId, linux }));
      expect(error.details).toMatch(/^failed to update resources: failed to update resources: runc did not terminate/);
    }
  });

  test("images without a name, and an invalid network", async () => {
    const { images, runtime } = await start({ flavor });
    for (const call of [images.removeImage({ image: {} }), images.imageStatus({ image: {} })])
      expect((await failureOf(call)).details).toBe('can not resolve "" locally: ambiguous digest string');
    const bad = runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: "not-a-cidr" } } });
    expect((await failureOf(bad)).details).toBe("get routes: invalid CIDR address: not-a-cidr");
  });
});

test("a mount propagates only if the node's own mount does", async () => {
  const connected = await start();
  const pod = await runPod(connected);
  const mounts = [
    { hostPath: "/proc/self", containerPath: "/m", propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL },
  ];
  const creating = create(connected, pod, { mounts });
  if (process.platform !== "linux") return void (await creating);
  await creating.catch((error) =>
    expect(error.details).toMatch(/is mounted on "\/proc" but it is not a shared mount$/),
  );
});

test("accepts all settings if the fake is not strict, and on runtimes that were not measured", async () => {
  for (const options of [{ strict: false }, { flavor: "cri-dockerd" as const, strict: false }]) {
    for (const [, request] of starts) {
      const connected = await start(options);
      const containerId = await create(connected, await runPod(connected), request);
      await connected.runtime.startContainer({ containerId });
    }
  }
});
