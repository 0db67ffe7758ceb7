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
  const names = registryNames(registry);
  return keys
    .map(placeOf)
    .filter(({ hosts, path }) => hosts.some((host) => names.some(patternOf(host))) && covers(path, repository))
    .sort((a, b) => Number(isPattern(a)) - Number(isPattern(b)) || b.path.length - a.path.length)
    .map(({ key }) => key);
}

/** `https://index.docker.io/v1/` → `index.docker.io`; `registry.example/team` → `registry.example` and `team`. */
function placeOf(key: string): Place {
  const [, scheme, rest = ""] = /^(?:(https?):\/\/)?(.*)$/is.exec(key) ?? [];
  const [host = "", ...segments] = rest.split("/").filter((segment) => segment !== "");
  if (/^v[12]$/.test(segments[0] ?? "") && (scheme !== undefined || segments.length === 1)) segments.shift();
  const isHttp = scheme?.toLowerCase() === "http";
  const canonical = canonicalHost(host, isHttp ? "http" : "https");
  const hosts = isHttp && !/:\d+$/.test(canonical) ? [canonical, `${canonical}:80`] : [canonical];
  return { key, hosts, path: segments.join("/") };
}

function covers(path: string, repository: string): boolean {
  return path === "" || `${repository}/`.startsWith(`${path}/`);
}

function isPattern({ hosts }: Place): boolean {
  return hosts.some((host) => /[*?]/.test(host));
}

function patternOf(host: string): (name: string) => boolean {
  const escaped = host.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${escaped.replaceAll("*", "[^.:]*").replaceAll("?", "[^.:]")}$`);
  return (name) => pattern.test(name);
}
