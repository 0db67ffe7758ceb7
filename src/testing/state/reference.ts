/* Image references, completed as in Docker: "busybox" is docker.io/library/busybox:latest. */

import { readImageReference } from "../../specs/image-reference.js";

/** The parts of a reference. */
export interface ImageReference {
  /** `docker.io/library/busybox` */
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:…`, `sha384:…` or `sha512:…` */
  readonly digest: string | undefined;
}

/** Parses a reference and completes it. Returns undefined if it is malformed. */
export function parseReference(text: string): ImageReference | undefined {
  const parsed = readImageReference(text);
  if (typeof parsed === "string") return undefined;
  const { registry, repository, tag, digest } = parsed;
  return { repository: `${registry}/${repository}`, tag: tag ?? (digest ? undefined : "latest"), digest };
}

/** Formats a complete reference. */
export function formatReference({ repository, tag, digest }: ImageReference): string {
  return digest ? `${repository}@${digest}` : `${repository}:${tag}`;
}
