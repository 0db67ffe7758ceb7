import { lstatSync } from "node:fs";
import type { ServerError } from "nice-grpc-common";
import { type ContainerConfig, NamespaceMode, SecurityProfile_ProfileType } from "../../proto.js";
import type { Lifecycle } from "../lifecycle.js";
import type { ContainerRecord } from "../state/containers.js";
import { mountRefusal } from "./mount-rules.js";
import { firstRefusal, type Rule, refusalError } from "./refusal.js";
import { groupWithoutUser, longLabel, missingSeccomp } from "./shared-rules.js";

/** The container to create, its configuration, and the rest of the runtime. */
type Creation = [container: ContainerRecord, config: ContainerConfig, lifecycle: Lifecycle];

const isContainerd2 = ({ flavor }: Lifecycle) => flavor.name === "containerd-2";

const seccompTypes: readonly SecurityProfile_ProfileType[] = [
  SecurityProfile_ProfileType.RuntimeDefault,
  SecurityProfile_ProfileType.Unconfined,
  SecurityProfile_ProfileType.Localhost,
];

const rules: readonly Rule<Creation>[] = [
  ({ id, pod }, { linux }, lifecycle) => {
    if (!linux?.securityContext?.privileged || pod.config.linux?.securityContext?.privileged) return undefined;
    const spec = isContainerd2(lifecycle) ? "spec: failed to generate spec opts" : "spec";
    return `failed to generate container "${id}" ${spec}: no privileged container allowed in sandbox`;
  },
  ({ id }, { linux }, lifecycle) => {
    const { pid, targetId = "" } = linux?.securityContext?.namespaceOptions ?? {};
    if (pid !== NamespaceMode.TARGET || lifecycle.state.containers.complete(targetId).length === 64) return undefined;
    const spec = isContainerd2(lifecycle) ? "spec: failed to generate spec opts" : "spec";
    const reason = `invalid target container: container "${targetId}" does not exist: not found`;
    return { code: "NOT_FOUND", reason: `failed to generate container "${id}" ${spec}: ${reason}` };
  },
  ({ id }, { mounts }, { flavor }) => {
    for (const mount of mounts) {
      const reason = mountRefusal(mount, id, flavor);
      if (reason !== undefined) return reason;
    }
    return undefined;
  },
  ({ id }, { devices }) => {
    const missing = devices.find(({ hostPath }) => !lstatSync(hostPath, { throwIfNoEntry: false }));
    if (!missing) return undefined;
    const why = `lstat ${missing.hostPath}: no such file or directory`;
    return `failed to generate container "${id}" spec: failed to generate spec: ${why}`;
  },
  (_, { linux }) => {
    const reason = groupWithoutUser(linux?.securityContext);
    return reason && `failed to get container spec opts: ${reason}`;
  },
  (_, { linux }) => {
    const seccomp = linux?.securityContext?.seccomp;
    if (!seccomp || seccompTypes.includes(seccomp.profileType)) return undefined;
    return "failed to get container spec opts: failed to generate seccomp spec opts: seccomp unknown ProfileType";
  },
  (_, { linux }) => {
    const { apparmor, apparmorProfile = "" } = linux?.securityContext ?? {};
    const named = apparmor
      ? apparmor.profileType === SecurityProfile_ProfileType.Localhost
      : /^localhost\//.test(apparmorProfile);
    const reason = "failed to generate apparmor spec opts: apparmor is not supported";
    return named ? `failed to get container spec opts: ${reason}` : undefined;
  },
  (_, { labels }) => longLabel(labels),
  (_, { linux }) => missingSeccomp(linux?.securityContext?.seccomp),
  ({ image }, { linux }, lifecycle) => {
    const { runAsUser, runAsUsername = "" } = linux?.securityContext ?? {};
    const context = "failed to create containerd container";
    if (runAsUser?.value.isNegative() && isContainerd2(lifecycle)) {
      return `${context}: invalid USER value "${runAsUser.value}": uid out of range`;
    }
    const isKnown = ["", "root", image.user].includes(runAsUsername);
    if (isKnown && !runAsUser?.value.isNegative()) return undefined;
    return `${context}: mount callback failed on /var/lib/containerd/tmpmounts/containerd-mount: no users found`;
  },
  (_, { CDIDevices }, lifecycle) => {
    if (CDIDevices.length === 0 || !isContainerd2(lifecycle)) return undefined;
    const names = CDIDevices.map(({ name }) => name).join(", ");
    return `failed to create containerd container: CDI device injection failed: unresolvable CDI devices ${names}`;
  },
];

/** Returns the error of CreateContainer if containerd rejects the configuration. */
export function creationRefusal(container: ContainerRecord, lifecycle: Lifecycle): ServerError | undefined {
  if (!lifecycle.strict || lifecycle.flavor.family !== "containerd") return undefined;
  const refusal = firstRefusal(rules, container, container.config, lifecycle);
  return refusal && refusalError(refusal, "", lifecycle.flavor);
}
