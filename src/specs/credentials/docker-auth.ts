import { isSet, refuse } from "../../input/check.js";
import { fieldPath } from "../../internal/field-names.js";
import { isRecord } from "../../internal/record.js";
import { imageReference, splitReference } from "../image-ref.js";
import { keysFor } from "./config-key.js";
import { type RegistryAuth, redacted } from "./registry-auth.js";

/** The maximum length of a configuration, in characters: as large as a Kubernetes Secret can be. */
const maxConfigLength = 1024 * 1024;

/** The maximum number of registries in a configuration, and the maximum length of their names in characters. */
const maxKeys = 10_000;
const maxKeyLength = 4_096;

type Json = { readonly [key: string]: unknown };

/**
 * Finds the credentials for an image in a Docker configuration: `~/.docker/config.json`, Podman's `auth.json`, the
 * `.dockerconfigjson` or `.dockercfg` of a Kubernetes Secret. The older `.dockercfg` has no `auths` around its entries.
 *
 * Several keys may apply to an image. Keys with its host take precedence over patterns (`*.registry.example`), then longer paths
 * (`registry.example/team`) over shorter ones. The first entry with credentials is used. Host names match in any case, and with
 * or without the default port. All names of Docker Hub are one registry. A pattern must match the host in the image reference.
 * The labels of this host have at most 63 characters each, as in DNS.
 *
 * Helper programs are not run. As in Docker, a helper in `credHelpers` takes precedence over an entry in the file. An entry with
 * credentials takes precedence over `credsStore`, because `docker login` with a store leaves entries without credentials.
 *
 * The file may have at most 1,048,576 characters, as many as a Kubernetes Secret, and at most 10,000 registries whose names have
 * at most 4,096 characters each.
 *
 * @param config The content of the file, or the object that it parses to. No error shows its content.
 * @param image The image to pull.
 * @returns `undefined` if the file has no credentials for the image, so that the image is pulled without credentials
 * @throws InvalidInputError if a helper has or may have the credentials, or if the file is malformed or too large
 */
export function authFromDockerConfig(config: string | object, image: string): RegistryAuth | undefined {
  const reference = imageReference(image, "image");
  const { registry } = splitReference(reference);
  const file = record(typeof config === "string" ? parse(config) : config, "config");
  refuseSecret(file);

  const helpers = record(file.credHelpers ?? {}, "config.credHelpers");
  const [helperKey] = keysFor(reference, registriesIn(helpers, "config.credHelpers"));
  // As in Docker, an empty name means that this registry has no helper, and that the store does not apply to it.
  const helper =
    helperKey === undefined ? undefined : helperName(helpers[helperKey], fieldPath("config.credHelpers", helperKey));
  if (helper) refuseHelper(`are kept by ${helper}`, registry, helper);

  const [auths, field] = isSet(file.auths) ? [record(file.auths, "config.auths"), "config.auths"] : [file, "config"];
  for (const key of keysFor(reference, registriesIn(auths, field))) {
    const entry = record(auths[key] ?? {}, fieldPath(field, key));
    const found = fromEntry(entry, registry, fieldPath(field, key));
    if (found !== undefined) return found;
  }

  const store = helperName(file.credsStore ?? "", "config.credsStore");
  if (store && helper === undefined) refuseHelper(`may be kept by ${store} (credsStore)`, registry, store);
  return undefined;
}

function parse(config: string): unknown {
  if (config.length > maxConfigLength) {
    refuse(
      "config",
      `has ${config.length} characters; at most ${maxConfigLength} are read: pass only what the image needs`,
    );
  }
  try {
    return JSON.parse(config);
  } catch {
    return refuse("config", "is not JSON"); // the parser's error message quotes the content
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
function refuseSecret(file: Json): void {
  const { data, stringData } = file;
  for (const part of [file, data, stringData]) {
    if (typeof part !== "object" || part === null) continue;
    if (".dockerconfigjson" in part || ".dockercfg" in part)
      refuse("config", "is a Kubernetes Secret: pass the decoded value of its .dockerconfigjson or .dockercfg");
  }
}

/** Returns the program of a credential helper, or `""` for none. */
function helperName(value: unknown, field: string): string {
  if (typeof value !== "string") return refuse(field, "must be a string");
  // The error message contains a command with the name, which may come from an untrusted file.
  if (!/^[\w.-]*$/.test(value)) return refuse(field, "may contain only letters, digits, _, - and .");
  return value === "" ? "" : `docker-credential-${value}`;
}

function refuseHelper(problem: string, registry: string, program: string): never {
  const server = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  return refuse(
    "config",
    `the credentials for ${registry} ${problem}, which is not run here: run \`echo ${server} | ${program} get\` and pass the user name and the secret that it prints as username and password`,
  );
}

function fromEntry(entry: Json, serverAddress: string, field: string): RegistryAuth | undefined {
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
