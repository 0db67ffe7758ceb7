import { splitReference } from "./image-ref.js";
import { canonicalHost, registryNames } from "./registry-host.js";

/** A key of a Docker configuration: the registry, or the part of one, that an entry is for. */
interface Place {
  /** As it stands in the file. */
  key: string;
  /** Hosts, or patterns such as `*.example`. There are two for `http://host`, which is port 80 as well as no port. */
  hosts: readonly string[];
  /** The repositories below this path; `""` for all. */
  path: string;
}

/**
 * The keys that apply to an image, the best first: those that name its host before patterns, then the longest path.
 *
 * The rules are the kubelet's: a path covers the repositories below it, `*` and `?` stand for characters of one part of the host
 * name. As Docker does, upper and lower case of the host, the scheme and the API version in a URL make no difference.
 */
export function keysFor(image: string, keys: readonly string[]): string[] {
  const { registry, repository } = splitReference(image);
  return keys
    .map(placeOf)
    .filter((place) => isAt(place, registry) && covers(place.path, repository))
    .sort((a, b) => Number(isPattern(a)) - Number(isPattern(b)) || b.path.length - a.path.length)
    .map(({ key }) => key);
}

/** `https://index.docker.io/v1/` → `index.docker.io`; `registry.example/team` → `registry.example` and `team`. */
function placeOf(key: string): Place {
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*)$/is.exec(key) ?? [];
  const [host = "", ...segments] = rest.split("/").filter((segment) => segment !== "");
  // Without a scheme the kubelet takes `/v2/` for the API, but `/v2` for a repository.
  if (/^[^/]+\/+v[12]\//.test(scheme === undefined ? rest : `${rest}/`)) segments.shift();
  const isHttp = scheme?.toLowerCase() === "http";
  const canonical = canonicalHost(host, isHttp ? "http" : "https");
  const hosts = isHttp && !/:\d+$/.test(canonical) ? [canonical, `${canonical}:80`] : [canonical];
  return { key, hosts, path: segments.join("/") };
}

/** A pattern is for the host in the image alone: `*.com` is not meant for Docker Hub, which is also `docker.com`. */
function isAt(place: Place, registry: string): boolean {
  const names = isPattern(place) ? [canonicalHost(registry)] : registryNames(registry);
  return place.hosts.some((host) => names.some(patternOf(host)));
}

function covers(path: string, repository: string): boolean {
  return path === "" || `${repository}/`.startsWith(`${path}/`);
}

function isPattern({ hosts }: Place): boolean {
  return hosts.some((host) => /[*?]/.test(host));
}

/** The longest part of a host name, in characters, as in DNS. */
const maxPartLength = 63;

/**
 * Matches names part by part. The time is limited to the length of the pattern times {@link maxPartLength}: no longer part can be
 * resolved, so no pattern matches it. Regular expressions would backtrack without a limit.
 */
function patternOf(host: string): (name: string) => boolean {
  const parts = host.split(separators);
  return (name) => {
    const names = name.split(separators);
    if (names.length !== parts.length || names.some(({ length }) => length > maxPartLength)) return false;
    return parts.every((part, index) => matches(names[index] ?? "", part));
  };
}

/** Between the parts of a host, and before its port. They are kept, as parts of their own. */
const separators = /([.:])/;

/** Whether a text is what a pattern stands for. Only the last `*` so far may take more than it has taken. */
function matches(text: string, pattern: string): boolean {
  let [at, from, star] = [0, 0, -1];
  for (let end = 0; end < text.length; ) {
    if (pattern[at] === "*") {
      star = at++;
      from = end;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[end])) {
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
