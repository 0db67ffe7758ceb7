/* Image references, completed as in Docker: "busybox" is docker.io/library/busybox:latest. */

/** The parts of a reference. */
export interface ImageReference {
  /** `docker.io/library/busybox` */
  readonly repository: string;
  readonly tag: string | undefined;
  /** `sha256:…`, `sha384:…` or `sha512:…` */
  readonly digest: string | undefined;
}

const digestPattern = /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/;
const component = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const host =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;

/** Parses a reference and completes it. Returns undefined if it is malformed. */
export function parseReference(text: string): ImageReference | undefined {
  // 64 hexadecimal digits are the id of an image, not a name.
  if (/^[0-9a-f]{64}$/.test(text)) return undefined;
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !digestPattern.test(digest)) return undefined;
  let name = at < 0 ? text : text.slice(0, at);
  let tag: string | undefined;
  const colon = name.lastIndexOf(":");
  if (colon > name.lastIndexOf("/")) {
    tag = name.slice(colon + 1);
    name = name.slice(0, colon);
    if (!/^\w[\w.-]{0,127}$/.test(tag)) return undefined;
  }
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const registry = hasHost ? first : "docker.io";
  const path = hasHost ? rest : [first, ...rest];
  if (!host.test(registry) || !path.every((part) => component.test(part))) return undefined;
  const library = registry === "docker.io" && path.length === 1 ? "library/" : "";
  return {
    repository: `${registry}/${library}${path.join("/")}`,
    tag: tag ?? (digest ? undefined : "latest"),
    digest,
  };
}

/** Formats a complete reference. */
export function formatReference({ repository, tag, digest }: ImageReference): string {
  return digest ? `${repository}@${digest}` : `${repository}:${tag}`;
}
