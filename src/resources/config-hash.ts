import { createHash } from "node:crypto";

/**
 * The annotation under which a pod or container carries the digest of the configuration it was made from. It tells a creation
 * that lost its answer whether what it finds under its name is its own. (A kubelet marks its containers the same way, with
 * `io.kubernetes.container.hash`.)
 */
export const configHashAnnotation = "k8s-cri-client/config-hash";

/**
 * The configuration with that annotation added. The digest is cut to 64 bits: enough to tell configurations apart, too little
 * to pin down the environment values that went into it.
 */
export function withConfigHash<T extends { annotations: Record<string, string> }>(
  type: { toJSON(message: T): unknown },
  config: T,
): T {
  const { [configHashAnnotation]: _, ...annotations } = config.annotations;
  const text = JSON.stringify(sortKeys(type.toJSON({ ...config, annotations })));
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { ...config, annotations: { ...annotations, [configHashAnnotation]: hash } };
}

/** Whether what the runtime lists was made from this configuration. */
export function hasSameConfig(
  listed: { annotations: Record<string, string> },
  config: { annotations: Record<string, string> },
): boolean {
  const hash = config.annotations[configHashAnnotation];
  return hash !== undefined && listed.annotations[configHashAnnotation] === hash;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
