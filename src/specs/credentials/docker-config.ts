import { isSet, refuse } from "../../input/check.js";
import { fieldPath } from "../../internal/field-names.js";
import { isRecord } from "../../internal/record.js";
import { splitReference } from "../image-ref.js";
import { entriesFor, keysFor, withoutUser } from "./config-key.js";
import { type RegistryAuth, redacted, toAuthConfig } from "./registry-auth.js";

/** The maximum length of a configuration, in characters: as large as a Kubernetes Secret can be. */
export const maxConfigLength = 1024 * 1024;

/** The maximum number of registries in a configuration, and the maximum length of their names in characters. */
const maxKeys = 10_000;
const maxKeyLength = 4_096;

type Json = { readonly [key: string]: unknown };

/** An entry of a Docker configuration. `auth` is not set in an entry without credentials. */
export interface ConfigEntry {
  readonly key: string;
  readonly auth: RegistryAuth | undefined;
}

/**
 * A Docker configuration: `~/.docker/config.json`, Podman's `auth.json`, or the older `.dockercfg`, which has no `auths` around its
 * entries. Checks an entry only when an image needs it. No error shows the content.
 */
export class DockerConfig {
  readonly #file: Json;
  readonly #field: string;
  readonly #auths: Json;
  readonly #authsField: string;

  /**
   * @param field the name of the configuration for error messages
   * @throws InvalidInputError if the configuration is malformed or too large
   */
  constructor(config: string | object, field: string) {
    this.#file = record(typeof config === "string" ? parse(config, field) : config, field);
    this.#field = field;
    refuseSecret(this.#file, field);
    this.#authsField = this.hasAuths ? fieldPath(field, "auths") : field;
    this.#auths = this.hasAuths ? record(this.#file.auths, this.#authsField) : this.#file;
  }

  /** Whether the entries are in `auths`. */
  get hasAuths(): boolean {
    return isSet(this.#file.auths);
  }

  /** The keys of all entries and helpers. */
  get registries(): string[] {
    const { credHelpers } = this.#file;
    const keys = Object.keys(this.#auths).filter((key) => this.hasAuths || /[.:/]/.test(key));
    return [...new Set([...keys, ...Object.keys(isRecord(credHelpers) ? credHelpers : {})].map(withoutUser))];
  }

  /** Returns the entries for an image, in order of precedence. @throws InvalidInputError if one of them is malformed */
  entriesFor(image: string): ConfigEntry[] {
    const { registry } = splitReference(image);
    const keys = keysFor(image, registriesIn(this.#auths, this.#authsField));
    return keys.map((key) => ({ key: withoutUser(key), auth: this.#authOf(key, registry) }));
  }

  /** Returns the program that `credHelpers` names for an image: `""` for none, `undefined` if it does not name the registry. */
  helperFor(image: string): string | undefined {
    const field = fieldPath(this.#field, "credHelpers");
    const helpers = record(this.#file.credHelpers ?? {}, field);
    const [key] = keysFor(image, registriesIn(helpers, field));
    return key === undefined ? undefined : helperName(helpers[key], fieldPath(field, withoutUser(key)));
  }

  /** Returns the program of `credsStore`, which is asked for all other registries; `""` for none. */
  store(): string {
    return helperName(this.#file.credsStore ?? "", fieldPath(this.#field, "credsStore"));
  }

  #authOf(key: string, registry: string): RegistryAuth | undefined {
    const field = fieldPath(this.#authsField, withoutUser(key));
    const auth = readEntry(record(this.#auths[key] ?? {}, field), registry, field);
    if (auth !== undefined) toAuthConfig(auth, field); // refuses malformed base64
    return auth;
  }
}

/** Returns the credentials of several configurations for an image, in the order of a kubelet: the most specific key first. */
export function matchesIn<T extends { readonly config: DockerConfig }>(
  image: string,
  configs: readonly T[],
): (ConfigEntry & { readonly of: T })[] {
  const all = configs.flatMap((of) => of.config.entriesFor(image).map((entry) => ({ ...entry, of })));
  return entriesFor(image, all);
}

function parse(config: string, field: string): unknown {
  if (config.length > maxConfigLength) {
    refuse(
      field,
      `has ${config.length} characters; at most ${maxConfigLength} are read: pass only what the image needs`,
    );
  }
  try {
    return JSON.parse(config);
  } catch {
    return refuse(field, "is not JSON"); // the parser's error message quotes the content
  }
}

function record(value: unknown, field: string): Json {
  return isRecord(value) ? value : refuse(field, "must be an object");
}

/** Returns the registries in a part of the configuration. */
function registriesIn(part: Json, field: string): string[] {
  const keys = Object.keys(part);
  if (keys.length > maxKeys) refuse(field, `names ${keys.length} registries; at most ${maxKeys} are searched`);
  const longest = keys.reduce((length, key) => Math.max(length, key.length), 0);
  if (longest > maxKeyLength) {
    refuse(field, `has a key of ${longest} characters; the name of a registry has at most ${maxKeyLength}`);
  }
  return keys;
}

/** Refuses a whole Secret, which would otherwise be read as a file without credentials. */
function refuseSecret(file: Json, field: string): void {
  const { data, stringData } = file;
  for (const part of [file, data, stringData]) {
    if (typeof part !== "object" || part === null) continue;
    if (".dockerconfigjson" in part || ".dockercfg" in part)
      refuse(field, "is a Kubernetes Secret: pass the decoded value of its .dockerconfigjson or .dockercfg");
  }
}

/** Returns the program of a credential helper, or `""` for none. */
function helperName(value: unknown, field: string): string {
  if (typeof value !== "string") return refuse(field, "must be a string");
  // The name becomes part of a command, and may come from an untrusted file.
  if (!/^[\w.-]*$/.test(value)) return refuse(field, "may contain only letters, digits, _, - and .");
  return value === "" ? "" : `docker-credential-${value}`;
}

function readEntry(entry: Json, serverAddress: string, field: string): RegistryAuth | undefined {
  const value = (key: string): string => {
    const found = entry[key];
    if (!isSet(found)) return "";
    return typeof found === "string" ? found : refuse(fieldPath(field, key), "must be a string");
  };
  // Beside an identity token, `auth` only contains a placeholder user.
  if (value("identitytoken") !== "") return redacted({ identityToken: value("identitytoken"), serverAddress });
  if (value("registrytoken") !== "") return redacted({ registryToken: value("registrytoken"), serverAddress });
  if (value("auth") !== "") return redacted({ auth: value("auth"), serverAddress });
  const [username, password] = [value("username"), value("password")];
  if (username === "" && password === "") return undefined;
  if (username === "") refuse(fieldPath(field, "username"), "is required together with password");
  if (password === "") refuse(fieldPath(field, "password"), "is required together with username");
  return redacted({ username, password, serverAddress });
}
