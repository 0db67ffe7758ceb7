import type { AuthConfig } from "../../proto.js";
import { rpcError } from "../handlers.js";
import { formatReference, type ImageReference } from "./reference.js";

/** How the registry answers the pull of an image that matches the pattern. */
export type RegistryRule =
  /** The image does not exist. */
  | "missing"
  /** The registry is unreachable. */
  | "unavailable"
  /** The pull requires these credentials. */
  | { username: string; password: string };

/**
 * Rules by pattern. A pattern is a reference in which `*` matches any string: `private/*`, `ghcr.io/acme/*:1.2`. It is matched
 * against the complete reference, with and without its tag or digest, and with and without `docker.io/` and `docker.io/library/`.
 * The first matching pattern applies. Images that match no pattern can be pulled without credentials.
 */
export type RegistryRules = Readonly<Record<string, RegistryRule>>;

/** Throws the runtime's error if the registry rejects the pull. */
export function checkPull(rules: RegistryRules, reference: ImageReference, auth: AuthConfig | undefined): void {
  const full = formatReference(reference);
  const rule = Object.entries(rules).find(([pattern]) => matches(pattern, reference))?.[1];
  const prefix = `failed to pull and unpack image "${full}": failed to resolve image`;
  const host = reference.repository.split("/")[0] as string;
  if (rule === "missing") throw rpcError("NOT_FOUND", `${prefix}: ${full}: not found`);
  if (rule === "unavailable") {
    const url = `https://${host}/v2/${reference.repository.slice(host.length + 1)}/manifests/${reference.tag ?? reference.digest}`;
    throw rpcError("UNKNOWN", `${prefix}: failed to do request: Head "${url}": dial tcp: connect: connection refused`);
  }
  if (typeof rule === "object" && !authorizes(auth, rule, host)) {
    const reason = "pull access denied, repository does not exist or may require authorization";
    throw rpcError("UNKNOWN", `${prefix}: ${reason}: authorization failed: no basic auth credentials`);
  }
}

function matches(pattern: string, { repository, tag, digest }: ImageReference): boolean {
  const escaped = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(`^${escaped.join(".*")}$`);
  const names = [repository, repository.replace(/^docker\.io\//, ""), repository.replace(/^docker\.io\/library\//, "")];
  const suffixes = ["", tag ? `:${tag}` : "", digest ? `@${digest}` : ""];
  return names.some((name) => suffixes.some((suffix) => expression.test(name + suffix)));
}

/** Returns whether containerd sends the credentials to this host, and the credentials are correct. */
function authorizes(auth: AuthConfig | undefined, rule: { username: string; password: string }, host: string): boolean {
  if (!auth) return false;
  if (auth.serverAddress && hostOf(auth.serverAddress) !== host) return false;
  const given = auth.auth ? Buffer.from(auth.auth, "base64").toString() : `${auth.username}:${auth.password}`;
  return given === `${rule.username}:${rule.password}`;
}

/**
 * Returns the host of an address. containerd parses the address as a URL: without a scheme, it has no host and matches no
 * registry.
 */
function hostOf(serverAddress: string): string {
  try {
    return new URL(serverAddress).host;
  } catch {
    return "";
  }
}
