import { isSet } from "../../input/check.js";
import { isRecord } from "../../internal/record.js";
import { parseGoDuration } from "./go-duration.js";
import { type RegistryAuth, redacted } from "./registry-auth.js";

/** Which later images the response is for: the same repository, all of the registry, or all. */
export type CacheScope = "Image" | "Registry" | "Global";

/** The answer of a credential provider plugin. */
export interface ProviderResponse {
  readonly scope: CacheScope;
  /** How long to keep the response; `undefined` for the provider's default. */
  readonly cacheMs: number | undefined;
  readonly entries: readonly { readonly key: string; readonly auth: RegistryAuth }[];
}

const scopes: readonly unknown[] = ["Image", "Registry", "Global"] satisfies CacheScope[];

/** The maximum number of entries in a response. */
const maxEntries = 1_000;

/** Writes a CredentialProviderRequest. */
export function providerRequest(apiVersion: string, image: string): string {
  return JSON.stringify({ apiVersion, kind: "CredentialProviderRequest", image });
}

/**
 * Reads a CredentialProviderResponse.
 *
 * @returns a problem as a string if it is malformed. It never contains the response.
 */
export function readProviderResponse(stdout: string, apiVersion: string): ProviderResponse | string {
  let response: unknown;
  try {
    response = JSON.parse(stdout);
  } catch {
    return "printed something other than JSON";
  }
  if (!isRecord(response)) return "printed something other than a JSON object";
  if (response.kind !== "CredentialProviderResponse") {
    return "printed something other than a CredentialProviderResponse";
  }
  if (response.apiVersion !== apiVersion) {
    return `printed a response of another apiVersion than ${apiVersion}, which its configuration names`;
  }
  const { cacheKeyType, cacheDuration, auth } = response;
  if (!scopes.includes(cacheKeyType)) return "printed a cacheKeyType other than Image, Registry and Global";
  const cacheMs = typeof cacheDuration === "string" ? parseGoDuration(cacheDuration) : undefined;
  if (isSet(cacheDuration) && cacheMs === undefined) return "printed a malformed cacheDuration";
  if (isSet(auth) && !isRecord(auth)) return "printed an auth that is not an object";
  const entries = entriesOf(auth ?? {});
  return typeof entries === "string" ? entries : { scope: cacheKeyType as CacheScope, cacheMs, entries };
}

function entriesOf(auth: object): ProviderResponse["entries"] | string {
  const given = Object.entries(auth as Readonly<Record<string, unknown>>);
  if (given.length > maxEntries) return `printed ${given.length} entries; at most ${maxEntries} are read`;
  const entries: { key: string; auth: RegistryAuth }[] = [];
  for (const [key, entry] of given) {
    if (!isRecord(entry)) return "printed an entry of auth that is not an object";
    const { username = "", password = "" } = entry;
    if (typeof username !== "string" || typeof password !== "string") {
      return "printed a username or password that is not a string";
    }
    if (username === "" && password === "") continue;
    if (username === "" || password === "")
      return `printed an entry without ${username === "" ? "username" : "password"}`;
    entries.push({ key, auth: redacted({ username, password }) });
  }
  return entries;
}
