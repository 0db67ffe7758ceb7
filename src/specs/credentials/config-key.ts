import { splitReference } from "../image-ref.js";
import { canonicalHost, registryNames } from "./registry-host.js";

/**
 * A parsed key of a Docker configuration. It names the registry, or the part of a registry, for which an entry has credentials.
 */
interface Scope {
  /** Hosts, or patterns such as `*.example`. There are two for `http://host`: with port 80 and without a port. */
  hosts: readonly string[];
  /** The path above the repositories; `""` for all repositories. */
  path: string;
}

/**
 * Finds the entries whose key applies to an image, in order of precedence: keys with its host before patterns, then longer paths
 * first.
 *
 * The rules are the kubelet's: a path covers the repositories below it, and `*` and `?` match characters of one label of the host
 * name. A path that ends within a part of the repository (`team` for `team-a/app`) applies after all others. As in Docker, the case
 * of the host, the scheme and the API version of a URL make no difference.
 */
export function entriesFor<T extends { readonly key: string }>(image: string, entries: readonly T[]): T[] {
  const { registry, repository } = splitReference(image);
  return entries
    .map((entry) => ({ entry, scope: scopeOf(entry.key) }))
    .filter(({ scope }) => hasHost(scope, registry) && repository.startsWith(scope.path))
    .map(({ entry, scope }) => ({ entry, scope, isPart: !covers(scope.path, repository) }))
    .sort(
      (a, b) =>
        Number(isPattern(a.scope)) - Number(isPattern(b.scope)) ||
        Number(a.isPart) - Number(b.isPart) ||
        b.scope.path.length - a.scope.path.length,
    )
    .map(({ entry }) => entry);
}

/** Does the same as {@link entriesFor} for keys alone. */
export function keysFor(image: string, keys: readonly string[]): string[] {
  return entriesFor(
    image,
    keys.map((key) => ({ key })),
  ).map(({ key }) => key);
}

/** Removes a user name and password, which some write into the URL of a registry. A kubelet ignores them. */
export function withoutUser(key: string): string {
  return key.replace(/^((?:https?:)?\/\/)?[^/]*@/i, "$1");
}

/** Parses a key: `https://index.docker.io/v1/` → `index.docker.io`; `registry.example/team` → `registry.example` and `team`. */
function scopeOf(key: string): Scope {
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*)$/is.exec(withoutUser(key)) ?? [];
  const [host = "", ...segments] = rest.split("/").filter((segment) => segment !== "");
  // Without a scheme, the kubelet reads `/v2/` as the API version, but `/v2` as a repository.
  if (/^[^/]+\/+v[12]\//.test(scheme === undefined ? rest : `${rest}/`)) segments.shift();
  const isHttp = scheme?.toLowerCase() === "http";
  const canonical = canonicalHost(host, isHttp ? "http" : "https");
  const hosts = isHttp && !/:\d+$/.test(canonical) ? [canonical, `${canonical}:80`] : [canonical];
  return { hosts, path: segments.join("/") };
}

/**
 * Matches a pattern only with the host in the image: `*.com` is not meant for Docker Hub, although `docker.com` is one of its
 * names.
 */
function hasHost(scope: Scope, registry: string): boolean {
  const names = isPattern(scope) ? [canonicalHost(registry)] : registryNames(registry);
  return scope.hosts.some((host) => names.some(hostMatcher(host)));
}

function covers(path: string, repository: string): boolean {
  return path === "" || `${repository}/`.startsWith(`${path}/`);
}

function isPattern({ hosts }: Scope): boolean {
  return hosts.some((host) => /[*?]/.test(host));
}

/** The maximum length of a label of a host name in characters, as in DNS. */
const maxLabelLength = 63;

/**
 * Creates a matcher that compares names label by label. Its time is limited to the length of the pattern times {@link
 * maxLabelLength}: no pattern matches a longer label, which cannot be resolved anyway. Regular expressions would backtrack
 * without a limit.
 */
function hostMatcher(host: string): (name: string) => boolean {
  const patterns = host.split(separators);
  return (name) => {
    const labels = name.split(separators);
    if (labels.length !== patterns.length || labels.some(({ length }) => length > maxLabelLength)) return false;
    return patterns.every((pattern, index) => matches(labels[index] ?? "", pattern));
  };
}

/** Separators of labels and of the port. `split` keeps them because of the group. */
const separators = /([.:])/;

/**
 * Returns whether a pattern matches a label. When matching fails, only the last `*` is extended, so there is no nested
 * backtracking.
 */
function matches(label: string, pattern: string): boolean {
  let [at, from, star] = [0, 0, -1];
  for (let end = 0; end < label.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      from = end;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === label[end])) {
      at++;
      end++;
    } else if (star >= 0) {
      at = star + 1;
      end = ++from;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}
