import { at, isSet, refuse } from "./check.js";
import { imageReference, splitReference } from "./image-ref.js";
import { type RegistryAuth, redacted } from "./registry-auth.js";

type Json = { readonly [key: string]: unknown };

/**
 * The credentials for an image in a Docker configuration (`~/.docker/config.json`; Podman's `auth.json` is alike), or `undefined`
 * if it has none. Of several entries the most specific wins: `registry.example/team` before `registry.example`.
 *
 * Credentials kept by a helper program (`credsStore`, `credHelpers`) are not in the file; if the image's are, this throws rather
 * than pull without any.
 *
 * @param config The file's text or what it parses to. Its contents appear in no error.
 */
export function authFromDockerConfig(config: string | object, image: string): RegistryAuth | undefined {
  const { registry, repository } = splitReference(imageReference(image, "image"));
  const file = record(typeof config === "string" ? parse(config) : config, "config");
  const auths = record(file.auths ?? {}, "config.auths");
  const key = bestKey(Object.keys(auths), `${registry}/${repository}`);

  const helper = helperFor(file, registry);
  const entry = key === undefined ? {} : record(auths[key] ?? {}, at("config.auths", key));
  const found = key === undefined ? undefined : fromEntry(entry, registry, at("config.auths", key));
  if (found === undefined && helper !== undefined && (helper.own || key !== undefined)) {
    refuse(
      "config",
      `credentials for ${registry} are kept by docker-credential-${helper.name}, which is not run here: pass them in another form`,
    );
  }
  return found;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return refuse("config", "is not JSON"); // the parser's own message quotes what it read
  }
}

function record(value: unknown, field: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(field, "must be an object");
  return value as Json;
}

/** The longest of the keys that the image's full name begins with. */
function bestKey(keys: readonly string[], name: string): string | undefined {
  const matches = keys.filter((key) => `${name}/`.startsWith(`${normalized(key)}/`));
  return matches.sort((a, b) => normalized(b).length - normalized(a).length)[0];
}

/** `https://index.docker.io/v1/` → `docker.io`, `https://registry.example/v2/` → `registry.example`. */
function normalized(key: string): string {
  const place = key
    .replace(/^https?:\/\//i, "")
    .replace(/\/+$/, "")
    .replace(/^([^/]+)\/v[12]$/, "$1");
  return place.replace(/^(index|registry-1)\.docker\.io(?=\/|$)/, "docker.io");
}

function helperFor(file: Json, registry: string): { name: string; own: boolean } | undefined {
  const helpers = isSet(file.credHelpers) ? record(file.credHelpers, "config.credHelpers") : {};
  for (const [key, name] of Object.entries(helpers)) {
    if (normalized(key) === registry && typeof name === "string") return { name, own: true };
  }
  return typeof file.credsStore === "string" && file.credsStore !== ""
    ? { name: file.credsStore, own: false }
    : undefined;
}

function fromEntry(entry: Json, serverAddress: string, field: string): RegistryAuth | undefined {
  const value = (key: string): string => {
    const found = entry[key];
    if (!isSet(found)) return "";
    return typeof found === "string" ? found : refuse(at(field, key), "must be a string");
  };
  // An identity token stands beside an `auth` that only holds a placeholder user.
  if (value("identitytoken") !== "") return redacted({ identityToken: value("identitytoken"), serverAddress });
  if (value("registrytoken") !== "") return redacted({ registryToken: value("registrytoken"), serverAddress });
  if (value("auth") !== "") return redacted({ auth: value("auth"), serverAddress });
  if (value("username") === "") return undefined;
  return redacted({ username: value("username"), password: value("password"), serverAddress });
}
