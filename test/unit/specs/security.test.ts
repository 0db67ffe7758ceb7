import { describe, expect, it, test } from "vitest";
import { LinuxContainerSecurityContext, LinuxSandboxSecurityContext } from "../../../src/proto.js";
import { readContainerSpec } from "../../../src/specs/container-config.js";
import { toPodSandboxConfig } from "../../../src/specs/pod-config.js";
import type { ContainerSecuritySpec, SecuritySpec } from "../../../src/specs/security.js";
import { refusal } from "./refusal.js";

const podWith = (security: SecuritySpec) => toPodSandboxConfig({ name: "pod", security }).config;
const pod = (security: SecuritySpec) =>
  LinuxSandboxSecurityContext.toJSON(podWith(security).linux!.securityContext!) as Record<string, unknown>;
const container = (security: ContainerSecuritySpec | undefined, ofPod: SecuritySpec = {}) =>
  LinuxContainerSecurityContext.toJSON(
    readContainerSpec({ name: "c", image: "i", security }).complete({ pod: podWith(ofPod) }).config.linux!
      .securityContext!,
  ) as Record<string, unknown>;

test.each<[SecuritySpec, object]>([
  [
    { privileged: true, readOnlyRootFilesystem: true },
    { privileged: true, readonlyRootfs: true },
  ],
  [{ runAsUser: 0 }, { runAsUser: {} }],
  [
    { runAsUser: 1000, runAsGroup: 2000 },
    { runAsUser: { value: "1000" }, runAsGroup: { value: "2000" } },
  ],
  [{ runAsUser: 4_294_967_295 }, { runAsUser: { value: "4294967295" } }],
  [{ supplementalGroups: [1, 2] }, { supplementalGroups: ["1", "2"] }],
  [{ supplementalGroupsPolicy: "Strict" }, { supplementalGroupsPolicy: "Strict" }],
  [{ seccomp: "Unconfined" }, { seccomp: { profileType: "Unconfined" } }],
  [
    { seccomp: { localhostProfile: "/var/lib/p.json" }, apparmor: { localhostProfile: "my-profile" } },
    {
      seccomp: { profileType: "Localhost", localhostRef: "/var/lib/p.json" },
      apparmor: { profileType: "Localhost", localhostRef: "my-profile" },
    },
  ],
  [{ selinux: { level: "s0:c1", type: "spc_t" } }, { selinuxOptions: { level: "s0:c1", type: "spc_t" } }],
])("%o is the same for pod and container", (spec, expected) => {
  expect(pod(spec)).toMatchObject(expected);
  expect(container(spec, { privileged: spec.privileged })).toMatchObject(expected);
});

describe("a container inherits from its pod", () => {
  const ofPod: SecuritySpec = {
    runAsUser: 1000,
    runAsGroup: 2000,
    supplementalGroups: [3000],
    supplementalGroupsPolicy: "Strict",
    seccomp: "Unconfined",
    apparmor: "RuntimeDefault",
    selinux: { level: "s0" },
    readOnlyRootFilesystem: true,
    privileged: true,
  };
  it("user, groups, profiles and label", () => {
    expect(container(undefined, ofPod)).toMatchObject({
      runAsUser: { value: "1000" },
      runAsGroup: { value: "2000" },
      supplementalGroups: ["3000"],
      supplementalGroupsPolicy: "Strict",
      seccomp: { profileType: "Unconfined" },
      apparmor: {},
      selinuxOptions: { level: "s0" },
    });
  });
  it("a read-only root, but not privileges", () => {
    const context = container(undefined, ofPod);
    expect(context.privileged).toBeUndefined();
    expect(context.readonlyRootfs).toBe(true);
    expect(container({ readOnlyRootFilesystem: false }, ofPod).readonlyRootfs).toBeUndefined();
  });
  it("only the settings that it does not set itself", () => {
    expect(
      container(
        {
          runAsUser: 1,
          runAsGroup: 2,
          supplementalGroups: [],
          supplementalGroupsPolicy: "Merge",
          seccomp: "RuntimeDefault",
          apparmor: "Unconfined",
          selinux: { level: "s1" },
        },
        ofPod,
      ),
    ).toMatchObject({
      runAsUser: { value: "1" },
      runAsGroup: { value: "2" },
      seccomp: {},
      apparmor: { profileType: "Unconfined" },
      selinuxOptions: { level: "s1" },
    });
    expect(container({ supplementalGroups: [] }, ofPod).supplementalGroups).toBeUndefined();
  });
  it("the group but not the user if it has a user name", () => {
    const context = container({ runAsUserName: "node" }, ofPod);
    expect(context).toMatchObject({ runAsUsername: "node", runAsGroup: { value: "2000" } });
    expect(context.runAsUser).toBeUndefined();
  });
});

describe("privileged", () => {
  it("masks nothing and filters no system calls", () => {
    const context = container({ privileged: true }, { privileged: true });
    expect(context).toMatchObject({ privileged: true, seccomp: { profileType: "Unconfined" } });
    expect(context.maskedPaths).toBeUndefined();
    expect(context.readonlyPaths).toBeUndefined();
  });
  it("keeps explicit settings", () => {
    expect(
      container({ privileged: true, seccomp: "RuntimeDefault", maskedPaths: ["/proc/keys"] }, { privileged: true }),
    ).toMatchObject({ seccomp: {}, maskedPaths: ["/proc/keys"] });
  });
});

test.each<[ContainerSecuritySpec, object]>([
  [{ allowPrivilegeEscalation: false }, { noNewPrivs: true }],
  [
    { maskedPaths: ["/proc/x"], readonlyPaths: ["/proc/y"] },
    { maskedPaths: ["/proc/x"], readonlyPaths: ["/proc/y"] },
  ],
  [
    { capabilities: { add: ["NET_ADMIN", "CAP_SYS_TIME", "cap_chown"], drop: ["ALL"], ambient: ["net_raw"] } },
    {
      capabilities: {
        addCapabilities: ["NET_ADMIN", "SYS_TIME", "CHOWN"],
        dropCapabilities: ["ALL"],
        addAmbientCapabilities: ["NET_RAW"],
      },
    },
  ],
])("%o", (spec, expected) => {
  expect(container(spec)).toMatchObject(expected);
});

it("masks nothing for empty lists, and allows escalation by default", () => {
  const context = container({ maskedPaths: [], readonlyPaths: [], allowPrivilegeEscalation: true });
  expect(context.maskedPaths).toBeUndefined();
  expect(context.readonlyPaths).toBeUndefined();
  expect(context.noNewPrivs).toBeUndefined();
});

test.each<[unknown, RegExp]>([
  [
    { runAsUser: "node" },
    /^spec.security.runAsUser: must be a whole number; a name goes into runAsUserName.*, got "node"/,
  ],
  [{ runAsUser: -1 }, /^spec.security.runAsUser: must be a whole number from 0 to 4294967295/],
  [{ runAsUser: 1.5 }, /^spec.security.runAsUser/],
  [{ runAsUser: 1, runAsUserName: "node" }, /^spec.security.runAsUserName: cannot be set together with runAsUser/],
  [{ runAsGroup: 1 }, /^spec.security.runAsGroup: needs runAsUser/],
  [{ supplementalGroups: [null] }, /^spec.security.supplementalGroups\[0\]: must be a whole number/],
  [{ supplementalGroupsPolicy: "merge" }, /^spec.security.supplementalGroupsPolicy: .* did you mean "Merge"/],
  [
    { seccomp: "runtime/default" },
    /^spec.security.seccomp: must be "RuntimeDefault", "Unconfined" or \{ localhostProfile \}/,
  ],
  [{ seccomp: "toString" }, /^spec.security.seccomp: must be/],
  [{ seccomp: { localhostProfile: "p.json" } }, /^spec.security.seccomp.localhostProfile: must be an absolute path/],
  [{ seccomp: { type: "Localhost" } }, /^spec.security.seccomp.type: unknown field/],
  [{ seccompProfile: {} }, /^spec.security.seccompProfile: unknown field; did you mean seccomp\?/],
  [{ apparmor: { localhostProfile: "" } }, /^spec.security.apparmor.localhostProfile: must not be empty/],
  [{ selinux: { level: 1 } }, /^spec.security.selinux.level: must be a string/],
  [{ privileged: true }, /^spec.security.privileged: needs a pod with security.privileged: true/],
  [{ privileged: true, allowPrivilegeEscalation: false }, /^spec.security.allowPrivilegeEscalation: cannot be false/],
  [
    { capabilities: { add: ["NET_ADMN"] } },
    /^spec.security.capabilities.add\[0\]: .* did you mean NET_ADMIN\?, got "NET_ADMN"/,
  ],
  [{ capabilities: { drop: "ALL" } }, /^spec.security.capabilities.drop: must be an array/],
  [{ maskedPaths: ["proc"] }, /^spec.security.maskedPaths\[0\]: must be an absolute path/],
])("refuses %o", (spec, expected) => {
  expect(refusal(() => container(spec as never))).toMatch(expected);
});
