import { isUtf8 } from "node:buffer";
import { inspect } from "node:util";
import { isSet, refuse, typeName } from "../../input/check.js";
import { type FieldsOf, object } from "../../input/object-reader.js";
import { fieldPath } from "../../internal/field-names.js";
import { REDACTED } from "../../internal/redact.js";
import { AuthConfig } from "../../proto.js";
import { canonicalHost, dockerHubRegistry, isDockerHub } from "./registry-host.js";

interface Server {
  /**
   * The registry that the credentials are for: `registry.example`, `registry.example:5000` or a URL. containerd uses the
   * credentials only for that host, and pulls from another host (a mirror) without credentials. CRI-O ignores this field.
   * @defaultValue all registries that the pull involves
   */
  serverAddress?: string | undefined;
}

/** User name and password, or a token that the registry accepts as a password. Works with every runtime. */
export interface PasswordAuth extends Server {
  username: string;
  password: string;
  auth?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

/**
 * `base64(username:password)`, as in a Docker configuration file; padding is optional. The client decodes it and sends user name
 * and password, because containerd refuses missing padding and cri-dockerd ignores this form.
 */
export interface EncodedAuth extends Server {
  auth: string;
  username?: undefined;
  password?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

/**
 * An OAuth2 refresh token, which the registry's token server exchanges for an access token. CRI-O ignores the token, so the client
 * refuses it there.
 */
export interface IdentityTokenAuth extends Server {
  identityToken: string;
  username?: undefined;
  password?: undefined;
  auth?: undefined;
  registryToken?: undefined;
}

/** A bearer token to send to the registry unchanged. containerd and CRI-O ignore the token, so the client refuses it there. */
export interface RegistryTokenAuth extends Server {
  registryToken: string;
  username?: undefined;
  password?: undefined;
  auth?: undefined;
  identityToken?: undefined;
}

/** Credentials for a registry, in exactly one of four forms. */
export type RegistryAuth = PasswordAuth | EncodedAuth | IdentityTokenAuth | RegistryTokenAuth;

type Secret = "username" | "password" | "auth" | "identityToken" | "registryToken";

const fields: FieldsOf<Record<Secret | "serverAddress", unknown>> = {
  username: true,
  password: true,
  auth: true,
  identityToken: true,
  registryToken: true,
  serverAddress: true,
};

/**
 * Converts credentials to their wire message. Errors do not show credentials, and `util.inspect` (hence `console.log`) shows the
 * message redacted.
 *
 * @param registry The host of the image to pull. It replaces a `serverAddress` that is another spelling of the same host, because
 *   containerd compares them character by character and pulls without credentials if they differ.
 */
export function toAuthConfig(auth: RegistryAuth, field = "auth", registry?: string): AuthConfig {
  if (typeof auth !== "object") refuse(field, `must be an object, got ${typeName(auth)}`);
  const given: Partial<Record<Secret | "serverAddress", unknown>> = object<object>(auth, field, fields);
  const secrets: Partial<Record<Secret, string>> = {};
  for (const key of ["username", "password", "auth", "identityToken", "registryToken"] as const) {
    const value = given[key];
    if (!isSet(value) || value === "") continue;
    secrets[key] =
      typeof value === "string" ? value : refuse(fieldPath(field, key), `must be a string, got ${typeName(value)}`);
  }
  const forms = [secrets.username ?? secrets.password, secrets.auth, secrets.identityToken, secrets.registryToken];
  if (forms.filter(isSet).length !== 1) {
    refuse(field, "must have exactly one of username and password, auth, identityToken, registryToken");
  }
  // containerd checks the user name first and would ignore a password without one.
  if (secrets.password !== undefined && secrets.username === undefined)
    refuse(fieldPath(field, "username"), "is required together with password");
  if (secrets.username !== undefined && secrets.password === undefined)
    refuse(fieldPath(field, "password"), "is required together with username");
  const { auth: encoded, ...sent } = secrets;
  return redacted(
    AuthConfig.create({
      ...sent,
      ...(encoded !== undefined && decodePair(encoded, fieldPath(field, "auth"))),
      serverAddress: serverAddress(given.serverAddress, fieldPath(field, "serverAddress"), registry),
    }),
  );
}

/** Decodes base64 with or without padding. Skips line breaks, as Go's decoder does. */
function decodePair(value: string, field: string): { username: string; password: string } {
  const digits = value.replace(/[\r\n]/g, "").replace(/={1,2}$/, "");
  const bytes = Buffer.from(digits, "base64");
  const colon = bytes.indexOf(":");
  if (!/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1 || colon < 1) {
    refuse(field, "must be base64 of username:password");
  }
  if (!isUtf8(bytes)) refuse(field, "must be base64 of a UTF-8 string");
  // Clients in Go drop NUL characters, which older versions of Docker used as padding.
  const password = bytes.toString("utf8", colon + 1).replaceAll("\0", "");
  return { username: bytes.toString("utf8", 0, colon), password };
}

/**
 * Returns `https://host[:port]`. containerd parses a host without a scheme as an empty host, and silently ignores the
 * credentials. All names of Docker Hub become the name of the host from which its images are pulled.
 */
function serverAddress(value: unknown, field: string, registry: string | undefined): string {
  if (!isSet(value) || value === "") return "";
  if (typeof value !== "string") return refuse(field, `must be a string, got ${typeName(value)}`);
  const match = /^(?:(https?):\/\/)?((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?)(?:\/\S*)?$/i.exec(value);
  // The error does not show the value, which may contain a user name and a password.
  if (match === null) return refuse(field, "must be a host, host:port or http(s) URL without user name");
  const [, written = "https", given = ""] = match;
  const scheme = written.toLowerCase();
  const same = registry !== undefined && canonicalHost(registry, scheme) === canonicalHost(given, scheme);
  const host = same ? registry : given;
  return `${scheme}://${isDockerHub(host) ? dockerHubRegistry : host}`;
}

/** Hides the values of credentials from `util.inspect`. */
export function redacted<T extends object>(auth: T): T {
  return Object.defineProperty(auth, inspect.custom, {
    value: () =>
      Object.fromEntries(Object.entries(auth).map(([key, value]) => [key, isPublic(key, value) ? value : REDACTED])),
    enumerable: false,
  });
}

function isPublic(key: string, value: unknown): boolean {
  return key === "serverAddress" || key === "username" || value === "" || value === undefined;
}
