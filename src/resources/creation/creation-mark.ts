import { createHash, randomUUID } from "node:crypto";

/** The prefix of this package's annotations. */
const ownPrefix = "k8s-cri-client/";

/**
 * The annotation that identifies the creation of a pod or container, and its configuration. A creation whose reply was lost finds
 * its object by it. (The kubelet's `io.kubernetes.container.hash` is similar.)
 */
export const creationAnnotation = `${ownPrefix}creation`;

/** Identifies one creation. All attempts of one call have the same mark. */
export interface CreationMark {
  /** The digest of the configuration without the annotations of this package. */
  readonly hash: string;
  /** A random value of this creation. */
  readonly nonce: string;
}

/**
 * Adds a new mark to the annotations of a configuration. The digest has 64 bits: enough to distinguish configurations, but too
 * few to find out the values of their environment variables.
 *
 * @param ownAnnotations other annotations of this package, which the digest does not include
 */
export function markCreation<T extends { annotations: Record<string, string> }>(
  type: { toJSON(message: T): unknown },
  config: T,
  ownAnnotations: Readonly<Record<string, string>> = {},
): { config: T; mark: CreationMark } {
  const given = Object.entries(config.annotations).filter(([key]) => !key.startsWith(ownPrefix));
  const annotations = Object.fromEntries(given);
  const text = JSON.stringify(sortKeys(type.toJSON({ ...config, annotations })));
  const mark = { hash: createHash("sha256").update(text).digest("hex").slice(0, 16), nonce: randomUUID() };
  return {
    config: {
      ...config,
      annotations: { ...annotations, ...ownAnnotations, [creationAnnotation]: `${mark.hash}.${mark.nonce}` },
    },
    mark,
  };
}

/** Reads the mark of a listed pod or container; undefined if this package did not create it. */
export function readMark({ annotations }: { annotations: Record<string, string> }): CreationMark | undefined {
  const [hash, nonce] = annotations[creationAnnotation]?.split(".") ?? [];
  return hash && nonce ? { hash, nonce } : undefined;
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
