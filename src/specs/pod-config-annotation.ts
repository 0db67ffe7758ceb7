import { messageFromJson, messageToJson } from "../json/message-json.js";
import { PodSandboxConfig } from "../proto.js";

/**
 * The annotation that contains the configuration of a pod, for other processes that create containers in it. CreateContainer must
 * repeat the configuration, and CRI-O and Docker do not report it.
 *
 * Its value is JSON: `{"version":1,"config":{…}}` with a PodSandboxConfig in protobuf's JSON format, or
 * `{"version":1,"omittedBytes":5120}` if the configuration is larger than {@link maxBytes}. Metadata, labels and annotations are
 * omitted because the status contains them. Windows settings are omitted because they can contain credentials.
 */
export const podConfigAnnotation = "k8s-cri-client/pod-config";

/** The limit of the annotation's value in bytes. A kubelet allows 256 KiB for all annotations of a pod together. */
export const maxBytes = 4_096;

/** Creates the annotation for a pod's configuration. A Windows pod gets no annotation. */
export function annotatePodConfig(config: PodSandboxConfig): Record<string, string> {
  if (config.windows !== undefined) return {};
  const { hostname, logDirectory, dnsConfig, portMappings, linux } = config;
  const kept = PodSandboxConfig.fromPartial({ hostname, logDirectory, dnsConfig, portMappings, linux });
  const value = JSON.stringify({ version: 1, config: messageToJson(PodSandboxConfig, kept) });
  const bytes = Buffer.byteLength(value);
  return { [podConfigAnnotation]: bytes <= maxBytes ? value : JSON.stringify({ version: 1, omittedBytes: bytes }) };
}

/** The configuration in the annotations of a pod, or the reason why it is unknown. */
export type AnnotatedPodConfig = { config: PodSandboxConfig } | { unknownBecause: string };

/** Reads the configuration from a pod's annotations. */
export function annotatedPodConfig(annotations: Readonly<Record<string, string>>): AnnotatedPodConfig {
  const value = annotations[podConfigAnnotation];
  if (value === undefined)
    return { unknownBecause: "the runtime does not report it, and this package did not create the pod" };
  // A kubelet copies the annotations of a Pod object, whose author could set any user or namespace here.
  if (kubeletAnnotation in annotations)
    return { unknownBecause: "a kubelet created the pod, so its annotations are not trusted" };
  try {
    const { version, config, omittedBytes } = JSON.parse(value) as Record<string, unknown>;
    if (version !== 1)
      return { unknownBecause: `another version of this package created the pod (format ${String(version)})` };
    if (typeof omittedBytes === "number") {
      return { unknownBecause: `its ${omittedBytes} bytes exceeded the ${maxBytes} bytes of the annotation` };
    }
    // Unknown fields are refused, because one of them could be the user to run as.
    return { config: messageFromJson(PodSandboxConfig, config) };
  } catch {
    return { unknownBecause: `the annotation ${podConfigAnnotation} is malformed` };
  }
}

/** A kubelet sets this annotation on every pod, regardless of the Pod object. */
const kubeletAnnotation = "kubernetes.io/config.source";
