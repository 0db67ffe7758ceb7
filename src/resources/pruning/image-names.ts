import type { Image } from "../../proto.js";
import { splitReference } from "../../specs/image-ref.js";

/** Returns the id, tags and digests of an image in the form in which {@link plainName} compares them. */
export function plainNames({ id, repoTags, repoDigests }: Pick<Image, "id" | "repoTags" | "repoDigests">): string[] {
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
  const { registry, repository } = splitReference(bare);
  return `${registry}/${repository}${suffixOf(bare)}`;
}

/** Returns the tag or digest of a reference with its separator; `:latest` if it has none. */
function suffixOf(reference: string): string {
  const at = reference.indexOf("@");
  if (at >= 0) return reference.slice(at);
  const colon = reference.indexOf(":", reference.lastIndexOf("/") + 1);
  return colon >= 0 ? reference.slice(colon) : ":latest";
}

/**
 * Returns whether a pattern matches an image. `*` matches any string. The pattern may be the id of the image, or a tag or digest
 * with or without its registry, `library/`, and the tag or digest itself.
 */
export function matchesImage(pattern: string, image: Pick<Image, "id" | "repoTags" | "repoDigests">): boolean {
  const parts = pattern.replace(/^sha256:/, "").split("*");
  return plainNames(image).some((name) => {
    const short = [name, name.replace(/^docker\.io\//, ""), name.replace(/^docker\.io\/library\//, "")];
    return short.some((form) => matches(parts, form) || matches(parts, form.replace(/(?:@|:[^:/]*$).*$/, "")));
  });
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
