import { createHash, randomUUID } from "node:crypto";

/** What the annotations of this package begin with. */
const ownPrefix = "k8s-cri-client/";

/**
 * The annotation that says which creation made a pod or container, and from which configuration. It is how a creation that lost
 * its answer recognises its own work. (A kubelet marks its containers in a like manner, with `io.kubernetes.container.hash`.)
 */
export const creationAnnotation = `${ownPrefix}creation`;

/** One creation: made once per call, and the same for every repeat within it. */
export interface CreationMark {
  /** Digest of the configuration, the mark itself left out. */
  readonly hash: string;
  /** Told to nobody else. */
  readonly nonce: string;
}

/**
 * The configuration with a new mark among its annotations. The digest is cut to 64 bits: enough to tell configurations apart,
 * too little to pin down the environment values that went into it.
 *
 * @param notes other annotations of this package. Like the mark, they are no part of the digest.
 */
export function markCreation<T extends { annotations: Record<string, string> }>(
  type: { toJSON(message: T): unknown },
  config: T,
  notes: Readonly<Record<string, string>> = {},
): { config: T; mark: CreationMark } {
  const given = Object.entries(config.annotations).filter(([key]) => !key.startsWith(ownPrefix));
  const annotations = Object.fromEntries(given);
  const text = JSON.stringify(sortKeys(type.toJSON({ ...config, annotations })));
  const mark = { hash: createHash("sha256").update(text).digest("hex").slice(0, 16), nonce: randomUUID() };
  return {
    config: {
      ...config,
      annotations: { ...annotations, ...notes, [creationAnnotation]: `${mark.hash}.${mark.nonce}` },
    },
    mark,
  };
}

/** The mark of what the runtime lists; undefined for what something else made. */
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
