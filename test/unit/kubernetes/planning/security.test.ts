import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import { messageToJson } from "../../../../src/json/message-json.js";
import type {
  ContainerSecurityContextManifest,
  ImageFacts,
  PodSecurityContextManifest,
} from "../../../../src/kubernetes/index.js";
import { LinuxContainerSecurityContext } from "../../../../src/proto.js";
import { configOf, container, facts, faultsOf, planOf, sandboxOf } from "./plan-of.js";

function plannedWith(own: ContainerSecurityContextManifest, pod: PodSecurityContextManifest = {}, node = {}) {
  return planOf({ securityContext: pod, containers: [container({ securityContext: own })] }, { node });
}

function securityOf(...args: Parameters<typeof plannedWith>) {
  return messageToJson(LinuxContainerSecurityContext, configOf(plannedWith(...args)).linux!.securityContext!);
}

describe("runAsNonRoot", () => {
  const root: ImageFacts = { id: "i", uid: 0n };
  const named: ImageFacts = { id: "i", username: "app" };
  test.each<[ContainerSecurityContextManifest, PodSecurityContextManifest, ImageFacts, string | undefined]>([
    [{ runAsNonRoot: true }, {}, root, "the image runs as root; set runAsUser to an id other than 0"],
    [{}, { runAsNonRoot: true }, root, "the image runs as root; set runAsUser to an id other than 0"],
    [{ runAsNonRoot: true }, {}, { id: "i" }, "the image runs as root; set runAsUser to an id other than 0"],
    [{ runAsNonRoot: true }, {}, named, `the image's user is the name "app"; set runAsUser to its numeric id`],
    [{ runAsNonRoot: true }, { runAsUser: 0 }, named, "runAsUser is 0; set runAsUser to another id"],
    [{ runAsNonRoot: true }, {}, { id: "i", uid: 1000n }, undefined],
    [{ runAsNonRoot: true, runAsUser: 5 }, {}, root, undefined],
    [{ runAsNonRoot: false }, { runAsNonRoot: true }, root, undefined],
    [{}, {}, root, undefined],
  ])("%o in a pod with %o and an image with %o", (own, pod, image, expected) => {
    const check = () => plannedWith(own, pod).containers[0]!.checkUser(image);
    if (expected === undefined) expect(check).not.toThrow();
    else {
      expect(check).toThrow(InvalidInputError);
      expect(check).toThrow(`spec.containers[0].securityContext.runAsNonRoot: ${expected}`);
    }
  });
});

describe("the user of a container", () => {
  test("is its own, else the pod's, else the image's id or name", () => {
    const userOf = (own: ContainerSecurityContextManifest, pod: PodSecurityContextManifest, image: ImageFacts) => {
      const { runAsUser, runAsUsername } = configOf(plannedWith(own, pod), "main", { image }).linux!.securityContext!;
      return runAsUser === undefined ? runAsUsername : Number(runAsUser.value);
    };
    const image = { ...facts.image, uid: 7n };
    expect(userOf({ runAsUser: 1 }, { runAsUser: 2 }, image)).toBe(1);
    expect(userOf({}, { runAsUser: 2 }, image)).toBe(2);
    expect(userOf({}, {}, image)).toBe(7);
    expect(userOf({}, {}, { id: "i", username: "app" })).toBe("app");
    expect(userOf({}, {}, { id: "i" })).toBe(0);
  });

  test("can have any 31-bit id", () => {
    expect(securityOf({ runAsUser: 2 ** 31 - 1 })).toMatchObject({ runAsUser: { value: "2147483647" } });
  });
});

describe("profiles", () => {
  test.each<[string, object, object, object]>([
    ["seccomp is unconfined by default", {}, {}, { seccomp: { profileType: "Unconfined" } }],
    ["seccomp is the runtime's with seccompDefault", {}, { seccompDefault: true }, { seccomp: {} }],
    [
      "a seccomp profile of the node is a file",
      { seccompProfile: { type: "Localhost", localhostProfile: "a/b.json" } },
      {},
      { seccomp: { profileType: "Localhost", localhostRef: "/var/lib/kubelet/seccomp/a/b.json" } },
    ],
    [
      "an AppArmor profile is also in the deprecated field",
      { appArmorProfile: { type: "Localhost", localhostProfile: "web" } },
      {},
      { apparmor: { profileType: "Localhost", localhostRef: "web" }, apparmorProfile: "localhost/web" },
    ],
    [
      "the AppArmor profile of the runtime",
      { appArmorProfile: { type: "RuntimeDefault" } },
      {},
      { apparmor: {}, apparmorProfile: "runtime/default" },
    ],
  ])("%s", (_, own, node, expected) => {
    expect(securityOf(own, {}, node)).toMatchObject(expected);
  });

  test.each([
    ["runtime/default", { apparmor: {}, apparmorProfile: "runtime/default" }],
    ["unconfined", { apparmor: { profileType: "Unconfined" }, apparmorProfile: "unconfined" }],
    [
      "localhost/web",
      { apparmor: { profileType: "Localhost", localhostRef: "web" }, apparmorProfile: "localhost/web" },
    ],
  ])("the old annotation for AppArmor %s counts", (value, expected) => {
    const annotations = { "container.apparmor.security.beta.kubernetes.io/main": value };
    const { securityContext } = configOf(planOf({}, { metadata: { annotations } })).linux!;
    expect(messageToJson(LinuxContainerSecurityContext, securityContext!)).toMatchObject(expected);
  });
});

test("the old annotation for AppArmor replaces the profile of the pod, not the container's own", () => {
  const annotations = { "container.apparmor.security.beta.kubernetes.io/main": "localhost/web" };
  const profileOf = (own: ContainerSecurityContextManifest) => {
    const plan = planOf(
      {
        securityContext: { appArmorProfile: { type: "Unconfined" } },
        containers: [container({ securityContext: own })],
      },
      { metadata: { annotations } },
    );
    return configOf(plan).linux!.securityContext!.apparmorProfile;
  };
  expect(profileOf({})).toBe("localhost/web");
  expect(profileOf({ appArmorProfile: { type: "RuntimeDefault" } })).toBe("runtime/default");
});

test("the path of a seccomp profile is normalized", () => {
  const seccompProfile = { type: "Localhost", localhostProfile: "./team//web.json" } as const;
  const { seccomp } = configOf(plannedWith({ seccompProfile }, {})).linux!.securityContext!;
  expect(seccomp?.localhostRef).toBe("/var/lib/kubelet/seccomp/team/web.json");
});

test("paths of the node are masked after those that always are", () => {
  const node = { maskedPaths: ["/sys/devices/system/cpu/cpu0/thermal_throttle"] };
  const pathsOf = (own: ContainerSecurityContextManifest) => {
    return configOf(plannedWith(own, {}, node)).linux!.securityContext!.maskedPaths;
  };
  expect(pathsOf({ procMount: "Default" }).slice(-2)).toEqual(["/sys/devices/virtual/powercap", ...node.maskedPaths]);
});

test("an unmasked /proc has neither masked nor read-only paths", () => {
  const main = container({ securityContext: { procMount: "Unmasked" } });
  const { linux } = configOf(planOf({ hostUsers: false, containers: [main] }));
  const security = messageToJson(LinuxContainerSecurityContext, linux!.securityContext!);
  expect(security).not.toHaveProperty("maskedPaths");
  expect(security).not.toHaveProperty("readonlyPaths");
});

describe("user namespaces", () => {
  const node = { userNamespaceFirstId: 131_072, userNamespaceRanges: 10 };
  test("give the pod and its mounts the ids of one range", () => {
    const plan = planOf({ hostUsers: false }, { node });
    const { usernsOptions } = sandboxOf(plan).linux!.securityContext!.namespaceOptions!;
    const [{ hostId, containerId, length }] = usernsOptions!.uids as [
      { hostId: number; containerId: number; length: number },
    ];
    expect([containerId, length, hostId % 65_536]).toEqual([0, 65_536, 0]);
    expect(hostId).toBeGreaterThanOrEqual(131_072);
    expect(hostId).toBeLessThan(131_072 + 10 * 65_536);
    expect(configOf(plan).mounts.every(({ uidMappings }) => uidMappings[0]?.hostId === hostId)).toBe(true);
    expect(planOf({ hostUsers: false }, { node }).sandbox(0)).toEqual(plan.sandbox(0));
  });
});

describe("sysctls", () => {
  const withSysctl = (name: string, spec = {}, allowedUnsafeSysctls: string[] = []) => {
    const securityContext = { sysctls: [{ name, value: "1" }] };
    return planOf({ securityContext, ...spec }, { node: { allowedUnsafeSysctls } });
  };
  const field = "spec.securityContext.sysctls[0].name: ";

  test.each(["net.ipv4.tcp_syncookies", "net/ipv4/tcp_keepalive_time", "kernel.shm_rmid_forced"])(
    "%s is safe",
    (name) => {
      const { sysctls } = sandboxOf(withSysctl(name)).linux!;
      expect(sysctls).toEqual({ [name.replaceAll("/", ".")]: "1" });
    },
  );

  test.each([
    ["net.core.somaxconn", ["net.core.*"]],
    ["net.core.somaxconn", ["net/core/somaxconn"]],
    ["kernel.msgmax", ["kernel.msg*"]],
  ])("%s is allowed by %j", (name, allowed) => {
    expect(sandboxOf(withSysctl(name, {}, allowed)).linux!.sysctls).toEqual({ [name]: "1" });
  });

  test.each<[string, object, string[], string]>([
    [
      "net.core.somaxconn",
      {},
      [],
      "net.core.somaxconn is not safe; to allow it, add it to the node's allowedUnsafeSysctls",
    ],
    ["vm.swappiness", {}, ["vm.*"], "vm.swappiness affects the whole node; set it on the node, not in a pod"],
    [
      "net.ipv4.tcp_syncookies",
      { hostNetwork: true },
      [],
      "net.ipv4.tcp_syncookies needs a network of the pod's own: drop hostNetwork or the sysctl",
    ],
    [
      "kernel.shm_rmid_forced",
      { hostIPC: true },
      [],
      "kernel.shm_rmid_forced needs an IPC namespace of the pod's own: drop hostIPC or the sysctl",
    ],
  ])("%s with %j is refused", (name, spec, allowed, message) => {
    expect(faultsOf(() => withSysctl(name, spec, allowed))).toEqual([field + message]);
  });
});

describe("pull secrets", () => {
  const document = '{"auths":{}}';
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "login", namespace: "default" },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(document).toString("base64") },
  } as const;
  const account = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "robot" },
    imagePullSecrets: [{ name: "login" }],
  } as const;

  test("are the pod's, else those of its service account", () => {
    const objects = { secrets: [secret], serviceAccounts: [account] };
    const expected = [{ name: "login", type: "kubernetes.io/dockerconfigjson", document }];
    expect(planOf({ imagePullSecrets: [{ name: "login" }] }, { objects }).pullSecrets).toEqual(expected);
    expect(planOf({ serviceAccountName: "robot" }, { objects }).pullSecrets).toEqual(expected);
    expect(planOf({}, { objects }).pullSecrets).toEqual([]);
  });

  test("that are missing, of another type or without content are faults", () => {
    const opaque = { ...secret, type: "Opaque" };
    const { data: _, ...empty } = secret;
    const imagePullSecrets = [{ name: "login" }];
    const faults = (...secrets: (typeof empty)[]) =>
      faultsOf(() => planOf({ imagePullSecrets }, { objects: { secrets } }));
    const field = "spec.imagePullSecrets[0].name: ";
    expect(faults()).toEqual([`${field}the pull secret login is not among the objects; add it`]);
    expect(faults(opaque as never)).toEqual([
      `${field}the secret login must have the type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg, got Opaque`,
    ]);
    expect(faults(empty)).toEqual([
      'objects.secrets[0].data: must have the key ".dockerconfigjson" in a secret of type kubernetes.io/dockerconfigjson',
    ]);
  });
});

test("all faults of a pod are in one error", () => {
  const spec = {
    runtimeClassName: "vm",
    imagePullSecrets: [{ name: "login" }],
    securityContext: { sysctls: [{ name: "vm.swappiness", value: "1" }] },
    containers: [container({ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } }] })],
  };
  const paths = faultsOf(() => planOf(spec)).map((fault) => fault.split(": ")[0]);
  expect(paths).toEqual([
    "spec.runtimeClassName",
    "spec.imagePullSecrets[0].name",
    "spec.securityContext.sysctls[0].name",
    "spec.containers[0].env[0].valueFrom.configMapKeyRef",
  ]);
});
