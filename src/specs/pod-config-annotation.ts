import { messageFromJson, messageToJson } from "../json/message-json.js";
import { PodSandboxConfig } from "../proto.js";

/**
 * The annotation that keeps the configuration of a pod with the pod, for processes that create containers in it later. CreateContainer
 * must repeat the configuration, and CRI-O and Docker do not report it.
 *
 * Its value is JSON: `{"version":1,"config":{…}}` with a PodSandboxConfig in protobuf's JSON format, or
 * `{"version":1,"omittedBytes":5120}` if that is larger than {@link maxBytes}. Metadata, labels and annotations are left out because
 * the status has them, and Windows settings because they can hold credentials.
 */
export const podConfigAnnotation = "k8s-cri-client/pod-config";

/** The limit of the annotation's value in bytes. A kubelet allows 256 KiB for all annotations of a pod together. */
export const maxBytes = 4_096;

/** The annotation for a pod's configuration; none for a Windows pod. */
export function annotatePodConfig(config: PodSandboxConfig): Record<string, string> {
  if (config.windows !== undefined) return {};
  const { hostname, logDirectory, dnsConfig, portMappings, linux } = config;
  const kept = PodSandboxConfig.fromPartial({ hostname, logDirectory, dnsConfig, portMappings, linux });
  const text = JSON.stringify({ version: 1, config: messageToJson(PodSandboxConfig, kept) });
  const bytes = Buffer.byteLength(text);
  return { [podConfigAnnotation]: bytes <= maxBytes ? text : JSON.stringify({ version: 1, omittedBytes: bytes }) };
}

/** What the annotations of a pod say about its configuration. */
export type AnnotatedPodConfig =
  | { config: PodSandboxConfig }
  /** Why there is no configuration to be had. */
  | { gap: string };

/** Reads the configuration back from a pod's annotations. */
export function annotatedPodConfig(annotations: Readonly<Record<string, string>>): AnnotatedPodConfig {
  const text = annotations[podConfigAnnotation];
  if (text === undefined) return { gap: "the runtime does not report it, and this package did not create the pod" };
  // A kubelet copies the annotations of a Pod object, whose author could set any user or namespace here.
  if (kubeletAnnotation in annotations) return { gap: "a kubelet created the pod, so its annotations are not trusted" };
  try {
    const { version, config, omittedBytes } = JSON.parse(text) as Record<string, unknown>;
    if (version !== 1) return { gap: `another version of this package created the pod (format ${String(version)})` };
    if (typeof omittedBytes === "number") {
      return { gap: `its ${omittedBytes} bytes were too many for an annotation, which holds ${maxBytes}` };
    }
    // It refuses what it does not understand, which could be the user to run as.
    return { config: messageFromJson(PodSandboxConfig, config) };
  } catch {
    return { gap: `the annotation ${podConfigAnnotation} is malformed` };
  }
}

/** A kubelet sets it on every pod, whatever the Pod object says. */
const kubeletAnnotation = "kubernetes.io/config.source";
