import { PodSandboxConfig, type PodSandboxStatus } from "../proto.js";

/**
 * The config of a pod that somebody else made, for creating containers in it.
 *
 * containerd's verbose status carries the original. Elsewhere the config is put together from the status: metadata, labels,
 * annotations and namespaces; on CRI-O also whether the pod is privileged. Log directory, DNS, ports and the like remain unknown.
 *
 * @param verboseInfo `info` of the verbose PodSandboxStatus; its shape is the runtime's affair, and what cannot be read is passed over.
 */
export function podConfigFromStatus(
  status: PodSandboxStatus,
  verboseInfo: Readonly<Record<string, string>> = {},
): PodSandboxConfig {
  const info = parsed(verboseInfo.info);
  const original = originalConfig(info.config, status);
  if (original !== undefined) return original;
  const namespaceOptions = status.linux?.namespaces?.options;
  return PodSandboxConfig.create({
    metadata: status.metadata,
    labels: status.labels,
    annotations: status.annotations,
    linux: { securityContext: { namespaceOptions, privileged: isPrivileged(info.runtimeSpec) } },
  });
}

type Json = { readonly [key: string]: unknown };

function parsed(text: unknown): Json {
  try {
    return record(typeof text === "string" ? JSON.parse(text) : undefined);
  } catch {
    return {};
  }
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Taken only if it is of the same pod: anything else is some other thing that happens to be called `config`. */
function originalConfig(json: unknown, status: PodSandboxStatus): PodSandboxConfig | undefined {
  try {
    const config = PodSandboxConfig.fromJSON(record(json));
    const { metadata } = config;
    const same =
      metadata !== undefined &&
      metadata.name === status.metadata?.name &&
      metadata.namespace === status.metadata.namespace &&
      metadata.uid === status.metadata.uid;
    return same ? config : undefined;
  } catch {
    return undefined;
  }
}

/** CRI-O notes it down in the OCI spec. */
function isPrivileged(runtimeSpec: unknown): boolean {
  return record(record(runtimeSpec).annotations)["io.kubernetes.cri-o.PrivilegedRuntime"] === "true";
}
