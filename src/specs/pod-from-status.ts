import { parseExactly } from "../json/exact-json.js";
import { messageFromGoJson } from "../json/go-json.js";
import { PodSandboxConfig, type PodSandboxStatus } from "../proto.js";
import { annotatedPodConfig } from "./pod-config-annotation.js";

/** What is known about the configuration of a pod. */
export interface KnownPodConfig {
  config: PodSandboxConfig;
  /**
   * Why {@link config} lacks what only the creator of the pod knows: user, log directory, DNS, ports and the like. Undefined if
   * nothing is missing.
   */
  gap?: string;
}

/**
 * The configuration of a pod that another process created, for creating containers in it: the original from containerd's verbose
 * status, else from the annotation that this package adds to its pods. Without either, it consists of what the status tells:
 * metadata, labels, annotations and namespaces; on CRI-O also whether the pod is privileged.
 *
 * @param verboseInfo `info` of the verbose PodSandboxStatus. Its shape depends on the runtime, so what cannot be read is ignored.
 */
export function podConfigFromStatus(
  status: PodSandboxStatus,
  verboseInfo: Readonly<Record<string, string>> = {},
): KnownPodConfig {
  const info = parsed(verboseInfo.info);
  const original = originalConfig(info.config, status);
  if (original !== undefined) return { config: original };
  const { metadata, labels, annotations } = status;
  const annotated = annotatedPodConfig(annotations);
  if ("config" in annotated) {
    return { config: PodSandboxConfig.create({ ...annotated.config, metadata, labels, annotations }) };
  }
  const namespaceOptions = status.linux?.namespaces?.options;
  const securityContext = { namespaceOptions, privileged: isPrivileged(info.runtimeSpec) };
  return {
    config: PodSandboxConfig.create({ metadata, labels, annotations, linux: { securityContext } }),
    gap: annotated.gap,
  };
}

type Json = { readonly [key: string]: unknown };

function parsed(text: unknown): Json {
  try {
    return record(typeof text === "string" ? parseExactly(text) : undefined);
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
    const config = messageFromGoJson(PodSandboxConfig, json, { ignoreUnknownFields: true });
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
