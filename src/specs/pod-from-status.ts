import { parseExactly } from "../json/exact-json.js";
import { messageFromGoJson } from "../json/go-json.js";
import { PodSandboxConfig, type PodSandboxStatus } from "../proto.js";
import { annotatedPodConfig } from "./pod-config-annotation.js";

/** The configuration of a pod as far as it is known. */
export interface KnownPodConfig {
  config: PodSandboxConfig;
  /**
   * The reason why {@link config} lacks the settings that only the creator of the pod knows: user, log directory, DNS, ports and
   * so on. `undefined` if it is complete.
   */
  incompleteBecause?: string;
}

/**
 * Finds the configuration of a pod that another process created, to create containers in it. Reads it from containerd's verbose
 * status, else from the annotation that this package adds to its pods. Without either, the configuration has only the fields of
 * the status: metadata, labels, annotations and namespaces; on CRI-O also whether the pod is privileged.
 *
 * @param verboseInfo `info` of the verbose PodSandboxStatus. Its shape depends on the runtime, so unreadable parts are ignored.
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
    incompleteBecause: annotated.unknownBecause,
  };
}

/** Returns the configuration of a pod from the verbose info of its status, or `undefined` if the info does not contain it. */
export function reportedPodConfig(
  status: PodSandboxStatus,
  verboseInfo: Readonly<Record<string, string>>,
): PodSandboxConfig | undefined {
  return originalConfig(parsed(verboseInfo.info).config, status);
}

type Json = { readonly [key: string]: unknown };

function parsed(json: unknown): Json {
  try {
    return record(typeof json === "string" ? parseExactly(json) : undefined);
  } catch {
    return {};
  }
}

function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

/** Reads the configuration, and verifies that it belongs to the pod: in another runtime, `config` may have another meaning. */
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

/** Reads the annotation that CRI-O adds to the OCI spec of a privileged pod. */
function isPrivileged(runtimeSpec: unknown): boolean {
  return record(record(runtimeSpec).annotations)["io.kubernetes.cri-o.PrivilegedRuntime"] === "true";
}
