import { invalid, list, nonEmptyStrings, optionalString, refuse, requiredString, strings } from "../../input/check.js";
import { ObjectReader } from "../../input/object-reader.js";
import { parseGoDuration } from "./go-duration.js";

/** A provider of a kubelet's CredentialProviderConfig: a program that returns credentials for images. */
export interface CredentialProvider {
  readonly name: string;
  /** Patterns of the images for which the program is run. */
  readonly matchImages: readonly string[];
  readonly defaultCacheMs: number;
  /** The version of the protocol, such as `credentialprovider.kubelet.k8s.io/v1`. */
  readonly apiVersion: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface ConfigFile {
  apiVersion?: unknown;
  kind?: unknown;
  providers?: readonly ProviderEntry[];
}

interface ProviderEntry {
  name?: unknown;
  matchImages?: readonly string[];
  defaultCacheDuration?: unknown;
  apiVersion?: unknown;
  args?: readonly string[];
  env?: readonly { name?: unknown; value?: unknown }[];
  tokenAttributes?: unknown;
}

const configVersions = ["v1", "v1beta1", "v1alpha1"].map((version) => `kubelet.config.k8s.io/${version}`);
const protocolVersions = ["v1", "v1beta1", "v1alpha1"].map((version) => `credentialprovider.kubelet.k8s.io/${version}`);

/**
 * Reads the parsed content of a kubelet's CredentialProviderConfig. Checks what a kubelet checks. No error shows the value of a
 * variable.
 *
 * @param field the path of the file, for error messages
 * @throws InvalidInputError
 */
export function readProviderConfig(content: unknown, field: string): CredentialProvider[] {
  const file = new ObjectReader(content as ConfigFile, field, { apiVersion: true, kind: true, providers: true });
  file.read("apiVersion", oneOfStrings, configVersions);
  file.read("kind", oneOfStrings, ["CredentialProviderConfig"]);
  const providers = file.read("providers", list, readProvider);
  if (providers.length === 0) file.refuse("providers", "must have at least one provider");
  return providers;
}

/** Refuses two providers of one name, also from several files. @throws InvalidInputError */
export function refuseDuplicates(providers: readonly CredentialProvider[], field: string): void {
  const names = providers.map(({ name }) => name);
  const duplicate = names.find((name, index) => names.indexOf(name) < index);
  if (duplicate !== undefined) invalid(field, "must not have two providers of one name", duplicate);
}

function readProvider(entry: ProviderEntry, field: string): CredentialProvider {
  const provider = new ObjectReader(entry, field, {
    name: true,
    matchImages: true,
    defaultCacheDuration: true,
    apiVersion: true,
    args: true,
    env: true,
    tokenAttributes: true,
  });
  if (provider.isSet("tokenAttributes")) {
    provider.refuse(
      "tokenAttributes",
      "is not supported: only a kubelet can get the token of a service account for the program; use a provider without it",
    );
  }
  const matchImages = provider.read("matchImages", nonEmptyStrings);
  if (matchImages.length === 0) provider.refuse("matchImages", "must have at least one pattern");
  for (const [index, pattern] of matchImages.entries())
    checkPattern(pattern, `${provider.path("matchImages")}[${index}]`);
  return {
    name: provider.read("name", programName),
    matchImages,
    defaultCacheMs: provider.read("defaultCacheDuration", cacheDuration),
    apiVersion: provider.read("apiVersion", oneOfStrings, protocolVersions),
    args: provider.read("args", strings),
    env: Object.fromEntries(provider.read("env", list, readVariable)),
  };
}

function oneOfStrings(value: unknown, field: string, allowed: readonly string[]): string {
  const given = requiredString(value, field);
  return allowed.includes(given) ? given : invalid(field, `must be ${allowed.join(", ")}`, given);
}

/** Checks the file name of a program. */
function programName(value: unknown, field: string): string {
  const name = requiredString(value, field);
  if (/[/\\\s]/.test(name) || name === "." || name === "..") {
    invalid(field, "must be the name of a program, without slashes and spaces", name);
  }
  return name;
}

function checkPattern(pattern: string, field: string): void {
  if (pattern.includes("://")) invalid(field, "must not begin with a scheme", pattern);
  const host = pattern.split("/", 1)[0] ?? "";
  if (/[[\]\\]/.test(host) && !/^\[[0-9a-f:.]+\](:\d+)?$/i.test(host)) {
    invalid(field, "may use only * and ? as wildcards", pattern);
  }
  if (/[*?]/.test(pattern.slice(host.length)) || /:.*[*?]/.test(host)) {
    invalid(field, "may have wildcards only in the host, not in the port or the path", pattern);
  }
}

function cacheDuration(value: unknown, field: string): number {
  const text = requiredString(value, field);
  const durationMs = parseGoDuration(text) ?? invalid(field, 'must be a duration such as "12h" or "1m30s"', text);
  return durationMs >= 0 ? durationMs : invalid(field, "must not be negative", text);
}

function readVariable(entry: { name?: unknown; value?: unknown }, field: string): [string, string] {
  const variable = new ObjectReader(entry, field, { name: true, value: true });
  const name = variable.read("name", requiredString);
  if (name.includes("=")) invalid(variable.path("name"), "must not contain '='", name);
  const value = entry.value ?? "";
  if (typeof value !== "string") return refuse(variable.path("value"), "must be a string; put it in quotes");
  return [name, optionalString(value, variable.path("value"))];
}
