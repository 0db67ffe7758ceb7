import { isUtf8 } from "node:buffer";
import { inspect } from "node:util";
import { isSet, refuse, typeName } from "../input/check.js";
import { type FieldsOf, object } from "../input/object-reader.js";
import { fieldPath } from "../internal/field-names.js";
import { REDACTED } from "../internal/redact.js";
import { AuthConfig } from "../proto.js";
import { canonicalHost, dockerHubRegistry, isDockerHub } from "./registry-host.js";

interface Server {
  /**
   * The registry that the credentials are for: `registry.example`, `registry.example:5000` or a URL. containerd uses
   * credentials for that host only, and goes on without any at another (a mirror); CRI-O ignores it.
   * @defaultValue any registry that the pull leads to
   */
  serverAddress?: string | undefined;
}

/** User name and password, or a password-like token of the registry's. Works with every runtime. */
export interface PasswordAuth extends Server {
  username: string;
  password: string;
  auth?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

/**
 * `base64(username:password)`, as in a Docker configuration file; padding may be missing. The client decodes it and sends user
 * name and password: containerd refuses missing padding, and cri-dockerd ignores this form.
 */
export interface EncodedAuth extends Server {
  auth: string;
  username?: undefined;
  password?: undefined;
  identityToken?: undefined;
  registryToken?: undefined;
}

/** An OAuth2 refresh token, traded for access at the registry's token server. CRI-O ignores it and pulls without credentials. */
export interface IdentityTokenAuth extends Server {
  identityToken: string;
  username?: undefined;
  password?: undefined;
  auth?: undefined;
  registryToken?: undefined;
}

/** A bearer token to send to the registry as it is. containerd and CRI-O both ignore it; other runtimes may not. */
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
 * The wire message for credentials. Errors show none of them, and `util.inspect` (hence `console.log`) shows the message redacted.
 *
 * @param registry The host of the image to pull. A `serverAddress` that is another spelling of it becomes this one: containerd
 *   compares them character by character, and pulls without credentials if they differ.
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
  // containerd looks at the user name first: a password without one would be passed over.
  if (secrets.password !== undefined && secrets.username === undefined)
    refuse(fieldPath(field, "username"), "is required beside password");
  if (secrets.username !== undefined && secrets.password === undefined)
    refuse(fieldPath(field, "password"), "is required beside username");
  const { auth: encoded, ...sent } = secrets;
  return redacted(
    AuthConfig.create({
      ...sent,
      ...(encoded !== undefined && decodePair(encoded, fieldPath(field, "auth"))),
      serverAddress: serverAddress(given.serverAddress, fieldPath(field, "serverAddress"), registry),
    }),
  );
}

/** Decodes base64 as Go does, whose decoder skips line breaks, but with or without padding. */
function decodePair(value: string, field: string): { username: string; password: string } {
  const digits = value.replace(/[\r\n]/g, "").replace(/={1,2}$/, "");
  const bytes = Buffer.from(digits, "base64");
  const colon = bytes.indexOf(":");
  if (!/^[A-Za-z0-9+/]+$/.test(digits) || digits.length % 4 === 1 || colon < 1) {
    refuse(field, "must be base64 of username:password");
  }
  if (!isUtf8(bytes)) refuse(field, "must be base64 of UTF-8 text");
  // Go's clients drop NUL characters, with which Docker once filled up what it encoded.
  const password = bytes.toString("utf8", colon + 1).replaceAll("\0", "");
  return { username: bytes.toString("utf8", 0, colon), password };
}

/**
 * `https://host[:port]`: a bare host would parse to an empty one at containerd, and the credentials would be dropped without a
 * word. The names of Docker Hub become that of the host its images are pulled from.
 */
function serverAddress(value: unknown, field: string, registry: string | undefined): string {
  if (!isSet(value) || value === "") return "";
  if (typeof value !== "string") return refuse(field, `must be a string, got ${typeName(value)}`);
  const match = /^(?:(https?):\/\/)?((?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?)(?:\/\S*)?$/i.exec(value);
  // The value is kept out of the error: a user name and a password may be part of it.
  if (match === null) return refuse(field, "must be a host, host:port or http(s) URL without user name");
  const [, written = "https", given = ""] = match;
  const scheme = written.toLowerCase();
  const same = registry !== undefined && canonicalHost(registry, scheme) === canonicalHost(given, scheme);
  const host = same ? registry : given;
  return `${scheme}://${isDockerHub(host) ? dockerHubRegistry : host}`;
}

/** Credentials that show their values to code but not to `util.inspect`. */
export function redacted<T extends object>(auth: T): T {
  return Object.defineProperty(auth, inspect.custom, {
    value: () =>
      Object.fromEntries(Object.entries(auth).map(([key, value]) => [key, isOpen(key, value) ? value : REDACTED])),
    enumerable: false,
  });
}

function isOpen(key: string, value: unknown): boolean {
  return key === "serverAddress" || key === "username" || value === "" || value === undefined;
}
