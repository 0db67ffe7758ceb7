import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { InvalidInputError, InvalidResponseError } from "../errors.js";
import { isLoopback } from "../internal/loopback.js";
import type { ConnectOptions, StreamKind } from "../options.js";

/** The facts that decide which streaming URLs are allowed. */
export interface StreamUrlContext {
  /** Host of a TCP endpoint, IPv6 without brackets. Undefined for a unix socket or a named pipe: the runtime is on this machine. */
  endpointHost: string | undefined;
  /** Whether the session must use TLS, because calls do and no option permits plain TCP. */
  mustBeSecure: boolean;
  /** `ConnectOptions.streamUrl`. */
  hook?: ConnectOptions["streamUrl"];
  kind: StreamKind;
}

/**
 * Returns the URLs to dial for a streaming session, in the order to try them, from the URL that the runtime returned.
 *
 * Repairs the URLs of cri-dockerd, which omits the scheme, and names the wildcard address that it listens on. The IPv6 wildcard and
 * a missing host mean a server that may listen on either loopback address, so they yield two URLs.
 *
 * Then checks the host. For a Unix socket, the host must be an address of this machine; for a TCP endpoint, the host of the
 * endpoint. So a remote runtime cannot make its clients connect to their own loopback or to third parties. If calls use TLS, the
 * session must, too.
 *
 * The `streamUrl` hook gets the repaired URL (the one of IPv4 if there are two). Its result replaces the URL and skips the checks.
 *
 * @throws InvalidResponseError for a URL that cannot be used; the message never contains its path, which is a secret
 * @throws InvalidInputError if the hook returns anything but an http(s) URL
 */
export function resolveStreamUrls(raw: string, context: StreamUrlContext): readonly [URL, ...URL[]] {
  const { endpointHost, mustBeSecure, hook, kind } = context;
  const urls = repair(raw, context);
  const [url, ...others] = urls;
  // A hook gets one URL, and this machine may have no IPv6.
  if (hook) return [checkHookResult(hook(urls.find(({ hostname }) => hostname !== "[::1]") ?? url, kind))];
  const host = withoutBrackets(url.hostname);
  const runtimeHost = endpointHost === undefined ? undefined : canonicalHost(endpointHost);
  const isRuntimeLocal = runtimeHost === undefined || isLocal(runtimeHost);
  if (host !== runtimeHost && !(isRuntimeLocal && isLocal(host))) {
    const expected = isRuntimeLocal ? "an address of this machine" : `the runtime's host ${runtimeHost}`;
    throw invalidUrl(
      kind,
      `leads to ${host.slice(0, 255)}, which is not ${expected}; set the option streamUrl to connect elsewhere`,
    );
  }
  if (mustBeSecure && url.protocol !== "https:") {
    throw invalidUrl(
      kind,
      "is http:, but calls to the runtime use TLS: the token and the session would cross the network unencrypted; " +
        "set up TLS for the runtime's streaming server, or set allowInsecureTcp",
    );
  }
  return [url, ...others];
}

/** The RPCs that return URLs. */
export const sessionMethods: Record<StreamKind, string> = {
  exec: "RuntimeService/Exec",
  attach: "RuntimeService/Attach",
  portForward: "RuntimeService/PortForward",
};

function invalidUrl(kind: StreamKind, message: string): InvalidResponseError {
  return new InvalidResponseError({
    field: "url",
    method: sessionMethods[kind],
    message: `the streaming URL ${message}`,
  });
}

function repair(raw: string, { endpointHost, kind }: StreamUrlContext): [URL, ...URL[]] {
  // Two URL parsers can disagree about the host if one drops these characters or turns them into a slash.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern rejects control characters
  if (/[\u0000-\u0020\u007f\\]/.test(raw)) throw invalidUrl(kind, "contains characters that a URL must not contain");
  const { scheme, authority, rest } = split(raw, kind);
  if (!/^https?$/i.test(scheme)) {
    throw invalidUrl(kind, `has the scheme ${scheme.slice(0, 20)}, expected http or https`);
  }
  if (authority.includes("@")) throw invalidUrl(kind, "contains a user name");
  // A missing host means the wildcard address, as in Go.
  const isHostless = /^(?::|$)/.test(authority);
  const url = parse(`${scheme}://${isHostless ? "0.0.0.0" : ""}${authority}${rest}`, kind);
  url.hash = "";
  if (!wildcards.has(url.hostname)) return [url];
  const isIPv6Wildcard = url.hostname === "[::]";
  url.hostname = withBrackets(endpointHost ?? "127.0.0.1");
  if (endpointHost !== undefined || !(isIPv6Wildcard || isHostless)) return [url];
  const overIPv6 = new URL(url);
  overIPv6.hostname = "[::1]";
  return isIPv6Wildcard ? [overIPv6, url] : [url, overIPv6];
}

function split(raw: string, kind: StreamKind): { scheme: string; authority: string; rest: string } {
  const [, scheme = "http", authority = "", rest = ""] =
    /^(?:([a-z][a-z0-9+.-]*):)?\/\/([^/?#]*)(.*)$/i.exec(raw) ??
    /^()((?:\[[^\]]*\]|[^/?#:[\]]*):\d+)(\/.*)$/.exec(raw) ??
    [];
  if (authority === "" && rest === "") {
    const other = /^([a-z][a-z0-9+.-]*):/i.exec(raw)?.[1];
    throw invalidUrl(kind, other ? `has the scheme ${other.slice(0, 20)}, expected http or https` : "is not a URL");
  }
  return { scheme: scheme || "http", authority, rest };
}

function parse(text: string, kind: StreamKind): URL {
  try {
    return new URL(text);
  } catch {
    // No cause: the parser's error quotes the URL.
    throw invalidUrl(kind, "cannot be parsed");
  }
}

function checkHookResult(value: unknown): URL {
  const href = typeof value === "object" && value !== null && "href" in value ? value.href : value;
  let url: URL | undefined;
  try {
    url = new URL(String(href));
  } catch {}
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new InvalidInputError({ field: "streamUrl", message: "must return an http: or https: URL" });
}

/** The wildcard addresses in the spelling of the URL parser. */
const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "[::]", "[::ffff:0:0]"]);

/**
 * Returns whether the host is this machine. Names other than localhost are not resolved: the result may change before the connect.
 */
function isLocal(host: string): boolean {
  if (host === "localhost") return true;
  if (isIP(host) === 0) return false;
  if (isLoopback(host)) return true;
  // Read each time, because addresses change.
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ address }) => canonicalHost(address) === host);
}

/** Returns a host as the URL parser spells it, without brackets. */
function canonicalHost(host: string): string {
  try {
    return withoutBrackets(new URL(`http://${withBrackets(host)}`).hostname);
  } catch {
    return host;
  }
}

function withBrackets(host: string): string {
  return isIPv6(host) ? `[${host.replace(/%.*/, "")}]` : host;
}

export function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
