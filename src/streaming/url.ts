import { isIP, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { InvalidInputError, InvalidResponseError } from "../errors.js";
import { isLoopback } from "../internal/loopback.js";
import type { ConnectOptions, StreamKind } from "../options.js";

/** What decides where a streaming session may lead. */
export interface StreamUrlContext {
  /** Host of a TCP endpoint, IPv6 without brackets; undefined for a unix socket or a named pipe: the runtime is on this machine. */
  endpointHost: string | undefined;
  /** Whether the session has to be over TLS, because calls are and nobody permitted plain TCP. */
  mustBeSecure: boolean;
  /** `ConnectOptions.streamUrl`. */
  hook?: ConnectOptions["streamUrl"];
  kind: StreamKind;
}

/**
 * The URLs to dial for a streaming session, in the order to try them, made from what the runtime said.
 *
 * Runtimes say odd things: cri-dockerd leaves the scheme out and names the wildcard address it listens on. Both are repaired. The
 * wildcard of IPv6, and no host at all, stand for a server that may listen on either loopback address, so there are two URLs. Then
 * the host has to be where the runtime is: for a unix socket an address of this machine, for a TCP endpoint the very host of the
 * endpoint. A runtime elsewhere cannot make its clients connect to their own loopback or to third parties that way. And a runtime that
 * is reached over TLS has to serve its sessions over TLS.
 *
 * The `streamUrl` hook gets the repaired URL, of two the one of IPv4, and has the last word on all of it.
 *
 * @throws InvalidResponseError for a URL that cannot be used; the message never holds its path, which is a secret
 * @throws InvalidInputError when the hook returns something that is no http(s) URL
 */
export function resolveStreamUrls(raw: string, context: StreamUrlContext): readonly [URL, ...URL[]] {
  const { endpointHost, mustBeSecure, hook, kind } = context;
  const urls = repair(raw, context);
  const [url, ...others] = urls;
  // A hook gets one URL, and there may be no IPv6 on this machine.
  if (hook) return [checkHooked(hook(urls.find(({ hostname }) => hostname !== "[::1]") ?? url, kind))];
  const host = bare(url.hostname);
  const wanted = endpointHost === undefined ? undefined : canonicalHost(endpointHost);
  const runsHere = wanted === undefined || isLocal(wanted);
  if (host !== wanted && !(runsHere && isLocal(host))) {
    const where = runsHere ? "an address of this machine" : `the runtime's host ${wanted}`;
    throw refuse(
      kind,
      `leads to ${host.slice(0, 255)}, which is not ${where}; the option streamUrl can say where to connect`,
    );
  }
  if (mustBeSecure && url.protocol !== "https:") {
    throw refuse(
      kind,
      `is http:, but the runtime is reached over TLS: the token and the session would cross the network in the clear; set up TLS for the runtime's streaming server, or set allowInsecureTcp`,
    );
  }
  return [url, ...others];
}

/** The RPCs that answer with URLs. */
const methods: Record<StreamKind, string> = {
  exec: "RuntimeService/Exec",
  attach: "RuntimeService/Attach",
  portForward: "RuntimeService/PortForward",
};

function refuse(kind: StreamKind, message: string): InvalidResponseError {
  return new InvalidResponseError({ field: "url", method: methods[kind], message: `the streaming URL ${message}` });
}

function repair(raw: string, { endpointHost, kind }: StreamUrlContext): [URL, ...URL[]] {
  // What URL parsers silently drop or turn into a slash is where two of them disagree about the host.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u0020\u007f\\]/.test(raw)) throw refuse(kind, "contains characters that no URL has");
  const { scheme, authority, rest } = split(raw, kind);
  if (!/^https?$/i.test(scheme)) throw refuse(kind, `has the scheme ${scheme.slice(0, 20)}, expected http or https`);
  if (authority.includes("@")) throw refuse(kind, "has a user name in it");
  // A host that is left out stands for the wildcard address, as everywhere in Go.
  const isHostless = /^(?::|$)/.test(authority);
  const url = parse(`${scheme}://${isHostless ? "0.0.0.0" : ""}${authority}${rest}`, kind);
  url.hash = "";
  if (!wildcards.has(url.hostname)) return [url];
  const isIPv6Wildcard = url.hostname === "[::]";
  url.hostname = bracket(endpointHost ?? "127.0.0.1");
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
    throw refuse(kind, other ? `has the scheme ${other.slice(0, 20)}, expected http or https` : "is not a URL");
  }
  return { scheme: scheme || "http", authority, rest };
}

function parse(text: string, kind: StreamKind): URL {
  try {
    return new URL(text);
  } catch {
    // Without a cause: the parser's error quotes the URL.
    throw refuse(kind, "cannot be parsed");
  }
}

function checkHooked(value: unknown): URL {
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

/** Whether connecting to the host stays on this machine. Names other than localhost are not looked up: the answer may change. */
function isLocal(host: string): boolean {
  if (host === "localhost") return true;
  if (isIP(host) === 0) return false;
  if (isLoopback(host)) return true;
  // Asked anew each time: addresses come and go.
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.some(({ address }) => canonicalHost(address) === host);
}

/** A host as the URL parser spells it, without brackets. */
function canonicalHost(host: string): string {
  try {
    return bare(new URL(`http://${bracket(host)}`).hostname);
  } catch {
    return host;
  }
}

function bracket(host: string): string {
  return isIPv6(host) ? `[${host.replace(/%.*/, "")}]` : host;
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
