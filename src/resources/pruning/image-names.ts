import type { Image } from "../../proto.js";
import { locate, split } from "../../specs/image-reference.js";

type ImageNames = Pick<Image, "id" | "repoTags" | "repoDigests">;

/** Returns the id, tags and digests of an image in the form in which {@link plainName} compares them. */
export function plainNames({ id, repoTags, repoDigests }: ImageNames): string[] {
  return [id, ...repoTags, ...repoDigests].map(plainName);
}

/**
 * Converts the name of an image to a form that is the same on all runtimes. Removes the prefix that only some runtimes give to ids,
 * `sha256:` or `docker-pullable://`, and completes short names: Docker's runtime lists `busybox:1`, others
 * `docker.io/library/busybox:1`.
 */
export function plainName(name: string): string {
  const bare = name.replace(/^[a-z][a-z0-9+.-]*:\/\//, "").replace(/^sha256:/, "");
  if (/^[0-9a-f]{64}$/.test(bare)) return bare;
  const [repository, suffix] = partsOf(bare);
  return repository + suffix;
}

/** Returns the repository with its registry, and the digest or else the tag with its separator. */
function partsOf(reference: string): [repository: string, suffix: string] {
  const { name, tag = "latest", digest } = split(reference);
  const { registry, repository } = locate(name);
  return [`${registry}/${repository}`, digest === undefined ? `:${tag}` : `@${digest}`];
}

/** The prefixes of the names of Docker Hub's images that a pattern may leave out, and what it may have in their place. */
const optionalPrefixes = [
  ["", ""],
  ["docker.io/", ""],
  ["docker.io/library/", ""],
  ["docker.io/library/", "docker.io/"],
] as const;

/**
 * Returns whether a pattern matches an image. `*` matches any string. The pattern may be the id of the image or its first 12 or more
 * digits, or a tag or digest with or without its registry, `library/`, and the tag or digest itself. If it has a tag and a digest,
 * the digest counts.
 */
export function matchesImage(pattern: string, { id, repoTags, repoDigests }: ImageNames): boolean {
  const plain = pattern.replace(/^sha256:/, "").replace(/:[\w.-]+@/, "@");
  const parts = plain.split("*");
  if (matches(parts, plainName(id)) || (/^[0-9a-f]{12,}$/.test(plain) && plainName(id).startsWith(plain))) return true;
  return [...repoTags, ...repoDigests].map(partsOf).some(([repository, suffix]) =>
    optionalPrefixes
      .filter(([prefix]) => repository.startsWith(prefix))
      .map(([prefix, replacement]) => replacement + repository.slice(prefix.length))
      .some((name) => matches(parts, name) || matches(parts, name + suffix)),
  );
}

/** Matches the parts between the asterisks of a pattern one after the other, without backtracking. */
function matches(parts: readonly string[], text: string): boolean {
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let from = first.length;
  for (const part of others) {
    const at = text.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
