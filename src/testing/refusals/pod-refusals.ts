import type { ServerError } from "nice-grpc-common";
import { NamespaceMode, type PodSandboxConfig } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { firstRefusal, type Rule, refusalError, runcRefusal } from "./refusal.js";
import { groupWithoutUser, longLabel, missingSeccomp } from "./shared-rules.js";

/** Kernel parameters that belong to a namespace of a pod. */
const namespacedSysctl = /^(kernel\.(shm.*|msg.*|sem)|fs\.mqueue\..*|net\..*)$/;

const rules: readonly Rule<[PodSandboxConfig]>[] = [
  ({ linux }) => {
    const userns = linux?.securityContext?.namespaceOptions?.usernsOptions;
    if (userns?.mode !== NamespaceMode.POD || (userns.uids.length > 0 && userns.gids.length > 0)) return undefined;
    const why = `can't use user namespace mode "POD" without UID and GID mappings`;
    return `failed to generate sandbox container spec: user namespace configuration: ${why}`;
  },
  ({ linux }) => {
    const reason = groupWithoutUser(linux?.securityContext);
    return reason && `failed to generate sandbox container spec options: ${reason}`;
  },
  ({ labels }) => longLabel(labels),
  ({ linux }) => missingSeccomp(linux?.securityContext?.seccomp),
  ({ hostname, linux }) =>
    hostname !== "" && linux?.securityContext?.namespaceOptions?.network === NamespaceMode.NODE
      ? runcRefusal("unable to set hostname without a private UTS namespace")
      : undefined,
  ({ linux }) => {
    const bad = Object.keys(linux?.sysctls ?? {}).find((name) => !namespacedSysctl.test(name));
    return bad === undefined ? undefined : runcRefusal(`sysctl "${bad}" is not in a separate kernel namespace`);
  },
];

/** Returns the error of RunPodSandbox if containerd rejects the configuration. */
export function podRefusal(config: PodSandboxConfig, id: string, flavor: FlavorProfile): ServerError | undefined {
  if (flavor.family !== "containerd") return undefined;
  const refusal = firstRefusal(rules, config);
  const context = flavor.name === "containerd-2" ? `failed to start sandbox "${id}": ` : "";
  return refusal && refusalError(refusal, context, flavor);
}
