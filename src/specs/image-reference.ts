import { invalid } from "../input/check.js";

/** The parts of an image reference, with the defaults of Docker for the registry and the repository. */
export interface ImageReference {
  /** The host of the registry, with its port if the reference names one. `docker.io` for short names. */
  readonly registry: string;
  /** The repository within the registry. On Docker Hub, `library/` is added to a name of one part. */
  readonly repository: string;
  /** The tag, if the reference has one. Runtimes use `latest` for a reference without tag and digest. */
  readonly tag?: string | undefined;
  /** The digest, such as `sha256:…`, if the reference has one. Runtimes then ignore the tag. */
  readonly digest?: string | undefined;
  /** The whole reference with registry and repository: `docker.io/library/nginx:1.29`. */
  readonly normalized: string;
  /** The shortest reference that means the same: `nginx:1.29`. */
  readonly familiar: string;
}

/**
 * Parses an image reference: `[registry[:port]/]repository[:tag][@digest]`. Accepts what the reference implementation of Docker and
 * containerd accepts (distribution/reference), except ids: 64 hexadecimal digits, with or without `sha256:`, identify an image and
 * do not name one.
 *
 * The first part is the registry if it contains a `.`, a `:` or an upper-case letter, or is `localhost`. Otherwise the registry is
 * Docker Hub. `index.docker.io` becomes `docker.io`. CRI-O completes short names by its own configuration instead.
 *
 * ```ts
 * const { registry, repository, tag } = parseImageReference("nginx:1.29"); // docker.io, library/nginx, 1.29
 * ```
 *
 * @throws InvalidInputError that names the invalid part
 */
export function parseImageReference(reference: string): ImageReference {
  const result = readImageReference(reference);
  return typeof result === "string" ? invalid("reference", result, reference) : result;
}

/** Does the same as {@link parseImageReference}, but returns a problem as a string. */
export function readImageReference(reference: unknown): ImageReference | string {
  if (typeof reference !== "string") return "must be a string";
  if (reference === "") return "must not be empty";
  if (/^(sha256:)?[0-9a-f]{64}$/.test(reference)) return "must be a name: this is the id of an image";
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(reference);
  if (scheme !== null) return `must not begin with a scheme: drop ${scheme[0]}`;
  const { name, tag, digest } = split(reference);
  const { registry, repository } = locate(name);
  const problem = problemOf(registry, repository) ?? problemOfTag(tag) ?? problemOfDigest(digest);
  if (problem !== undefined) return problem;
  const suffix = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    normalized: `${registry}/${repository}${suffix}`,
    familiar: familiarName(registry, repository) + suffix,
  };
}

/**
 * Returns the registry (`docker.io` if the name has none) and the repository of a name without tag and digest. Checks neither of
 * them.
 */
export function locate(name: string): { registry: string; repository: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const path = isHost ? name.slice(slash + 1) : name;
  if (isHost && first !== "docker.io" && first !== "index.docker.io") return { registry: first, repository: path };
  return { registry: "docker.io", repository: path.includes("/") ? path : `library/${path}` };
}

/** Splits off the tag and the digest. A digest begins at the first `@`, and a tag at the last `:` behind the last `/`. */
export function split(reference: string): { name: string; tag?: string; digest?: string } {
  const at = reference.indexOf("@");
  const digest = at < 0 ? {} : { digest: reference.slice(at + 1) };
  const rest = at < 0 ? reference : reference.slice(0, at);
  const colon = rest.lastIndexOf(":");
  if (colon <= rest.lastIndexOf("/")) return { name: rest, ...digest };
  return { name: rest.slice(0, colon), tag: rest.slice(colon + 1), ...digest };
}

const hostPattern =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?$/;
const partPattern = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;

/** The maximum length of a repository without its registry, in characters. */
const maxRepositoryLength = 255;

function problemOf(registry: string, repository: string): string | undefined {
  if (!hostPattern.test(registry)) {
    return "must begin with a valid registry: a host name or an IPv6 address in brackets, with or without :port";
  }
  if (repository !== repository.toLowerCase()) {
    return `must have a repository in lower case (${repository.toLowerCase()})`;
  }
  if (!repository.split("/").every((part) => partPattern.test(part))) {
    return "must have a repository of parts between slashes, each of letters and digits, separated by '.', '_', '__' or dashes";
  }
  if (repository.length > maxRepositoryLength) {
    return `must have a repository of at most ${maxRepositoryLength} characters`;
  }
  return undefined;
}

function problemOfTag(tag: string | undefined): string | undefined {
  if (tag === undefined || /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(tag)) return undefined;
  return "must have a tag of at most 128 letters, digits, '_', '.' and '-' that does not begin with '.' or '-'";
}

/** The supported algorithms of digests, with the number of hexadecimal digits. */
const digestLengths: ReadonlyMap<string, number> = new Map([
  ["sha256", 64],
  ["sha384", 96],
  ["sha512", 128],
]);

function problemOfDigest(digest: string | undefined): string | undefined {
  if (digest === undefined) return undefined;
  const [, algorithm = "", hex = ""] = /^([^:]*):(.*)$/s.exec(digest) ?? [];
  const length = digestLengths.get(algorithm);
  if (length === undefined) return `must have a digest of ${[...digestLengths.keys()].join(", ")}`;
  if (hex.length === length && /^[0-9a-f]*$/.test(hex)) return undefined;
  return `must have a ${algorithm} digest of ${length} hexadecimal digits in lower case`;
}

/** Removes `docker.io/` and `library/`, unless the rest would name another repository, as in `docker.io/localhost/app`. */
function familiarName(registry: string, repository: string): string {
  const full = `${registry}/${repository}`;
  const short = repository.replace(/^library\/(?=[^/]+$)/, "");
  const meant = locate(short);
  return registry === meant.registry && repository === meant.repository ? short : full;
}
