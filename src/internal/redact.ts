/*
 * The redactor for all logs and errors. The secrets of CRI are registry credentials (`debug_redact` in the schema), values of
 * environment variables, and the URLs of streaming sessions, whose last path segment is a bearer token.
 */

import { normalizeName } from "./field-names.js";

/** Replaces a secret. */
export const REDACTED = "[redacted]";

/**
 * Matches the names of fields with secret values, as {@link nameOf} returns them: fields with `debug_redact` in the schema, and
 * the credentials of Docker, Kubernetes, HTTP and clouds.
 */
const secretName =
  /(?:(?:password|passwd|passphrase|pwd|token|secret|credential|authorization|cookie|(?:private|secret|access|api|client|account|encryption|signing|ssh|tls)key)s?(?:data|pem|value)?|dockercfg|dockerconfigjson|registryauth|registryconfig|^auth|^pass|^url)$/;

/** Fields of a secret that identify it and are not secret themselves. */
const publicNames: ReadonlySet<string> = new Set(["username", "serveraddress", "name", "namespace", "secretname"]);

/** Fields with environment variables, in messages, specs, OCI specs and the output of `docker inspect`. */
const environmentNames: ReadonlySet<string> = new Set(["envs", "env", "environ", "environment"]);

/** Values nested more deeply than this are redacted. No message or file has so many levels. */
const maxDepth = 200;

/** Converts bytes and 64-bit numbers for the copy. */
interface Style {
  bytes(description: string): unknown;
  long(value: object): unknown;
}

const encoder = new TextEncoder();
const messageStyle: Style = { bytes: (description) => encoder.encode(description), long: (value) => value };
const logStyle: Style = { bytes: (description) => description, long: String };

/**
 * Returns a deep copy of a message, a spec or options without its secrets. Values under the names of credentials (`password`,
 * `registry_token`, `Authorization` and so on, in any spelling), values of environment variables and streaming URLs become
 * `[redacted]`, and so do `data` and `stringData` of a Kubernetes Secret. Other bytes are replaced by their length. Private keys,
 * tokens, and credentials in URLs are removed from strings. Strings that contain JSON, such as the verbose info of `inspect()`,
 * are parsed and redacted; numbers beyond 2^53 in them may lose digits.
 *
 * A message stays a message of its type: `messageToJson(ContainerStatus, redact(status))` works. Redacted bytes are UTF-8. Cyclic
 * objects are copied as cyclic objects. Values nested more than 200 levels deep become `[redacted]`.
 */
export function redact<T>(value: T): T {
  return new Redaction(messageStyle).of(value) as T;
}

/** Like {@link redact}, but returns plain data for a log: bytes and 64-bit numbers become strings. */
export function redactForLog(value: unknown): unknown {
  return new Redaction(logStyle).of(value);
}

/** The kind of position of a value: open (may be shown), a secret, an environment, or one variable of an environment. */
type Place = "open" | "secret" | "environment" | "variable";

/** Copies one value without its secrets. */
class Redaction {
  readonly #style: Style;
  /** Copies by position and original, for cyclic values and for values that are secret in only one of their positions. */
  readonly #copies = new Map<Place, Map<object, object>>();
  #depth = 0;

  constructor(style: Style) {
    this.#style = style;
  }

  of(value: unknown, place: Place = "open"): unknown {
    if (typeof value === "string") return this.#string(value, place);
    const isOpen = place === "open" || place === "variable";
    if (typeof value === "number" || typeof value === "bigint") return isOpen ? value : REDACTED;
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Uint8Array) return this.#style.bytes(isOpen ? `[${value.length} bytes]` : REDACTED);
    if (value instanceof Date) return isOpen ? value : REDACTED;
    if (value instanceof URL) return isOpen ? redactString(value.href) : REDACTED;
    if (isLong(value)) return isOpen ? this.#style.long(value) : REDACTED;
    return this.#copies.get(place)?.get(value) ?? this.#copy(value, place);
  }

  #string(text: string, place: Place): string {
    if (text === "") return text;
    if (place === "secret") return REDACTED;
    // A line without a name continues the value of the previous line.
    if (place === "environment") return text.replace(/^([^=\n]*=)?.+$/gm, (_, name = "") => `${name}${REDACTED}`);
    return this.#json(text) ?? redactString(text);
  }

  #copy(value: object, place: Place): unknown {
    if (this.#depth >= maxDepth) return REDACTED;
    this.#depth++;
    const copy = Array.isArray(value) ? this.#list(value, place) : this.#fields(value, place);
    this.#depth--;
    return copy;
  }

  /** Registers a copy before it is complete, because the original may be cyclic. */
  #begin<T extends object>(copy: T, original: object, place: Place): T {
    const copies = this.#copies.get(place) ?? new Map<object, object>();
    this.#copies.set(place, copies.set(original, copy));
    return copy;
  }

  #list(list: readonly unknown[], place: Place): unknown[] {
    const copy = this.#begin<unknown[]>([], list, place);
    for (const item of list) {
      if (place !== "environment" || typeof item !== "object" || item === null) copy.push(this.of(item, place));
      else if (Array.isArray(item)) copy.push([item[0], ...item.slice(1).map((value) => this.of(value, "secret"))]);
      else copy.push(this.of(item, "variable"));
    }
    return copy;
  }

  #fields(value: object, place: Place): object {
    const copy = this.#begin({}, value, place);
    const isKubernetesSecret = "kind" in value && value.kind === "Secret";
    for (const [key, item] of Object.entries(value)) {
      const name = nameOf(key);
      const isData = isKubernetesSecret && (name === "data" || name === "stringdata");
      // Defines the property instead of assigning it, because a key may be __proto__. Keys may be URLs with credentials.
      Object.defineProperty(copy, redactString(key), {
        value: this.of(item, isData ? "secret" : placeOf(name, place)),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return copy;
  }

  /** Redacts a string that contains a JSON string, array or object. Returns `undefined` for any other string. */
  #json(text: string): string | undefined {
    if (!/^\s*["[{]/.test(text)) return undefined;
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      return undefined;
    }
    try {
      const redacted = JSON.stringify(new Redaction(logStyle).of(data));
      return redacted === JSON.stringify(data) ? text : redacted;
    } catch {
      return REDACTED; // too deeply nested for the stack
    }
  }
}

/** Normalizes the name of a field: `X-Registry-Auth` and `registry_auth` have the same ending. */
function nameOf(key: string): string {
  return normalizeName(key).replace(/^\.+/, "");
}

function placeOf(name: string, outer: Place): Place {
  if (outer === "environment" || (outer === "variable" && name === "value")) return "secret";
  if (outer === "secret") return publicNames.has(name) ? "open" : "secret";
  if (environmentNames.has(name)) return "environment";
  return secretName.test(name) ? "secret" : "open";
}

/**
 * Removes private keys, tokens, credentials in URLs and credentials next to their names from a string. Error messages of
 * runtimes quote all of them. The time of every pattern is linear in the length of the string, which may be 64 KiB from a
 * malicious peer.
 */
export function redactString(text: string): string {
  return patterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

const patterns: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // The URL of a streaming session ends with its token.
  [/(\/(?:exec|attach|portforward)\/)[A-Za-z0-9_-]+/g, `$1${REDACTED}`],
  // https://me:password@host, also with @ or / in the password, but not the digest of an image after the port of its registry.
  [/(:\/\/)[^/\s@:"']{0,64}:(?!\/\/)[^\s"']{0,100}@(?!sha\d+:)/g, `$1${REDACTED}@`],
  [/(:\/\/)[^/\s"']+@/g, `$1${REDACTED}@`],
  [/([?&;][\w.-]*(?:token|signature|sig|secret|password|passwd|key|credential|auth)=)[^&;#\s"']+/gi, `$1${REDACTED}`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/g, `$1 ${REDACTED}`],
  // Go structs as Go prints them, truncated or quoted JSON, and command lines. A quoted value may contain spaces.
  [
    /\b((?:password|passwd|passphrase|(?:identity|registry|access|refresh)[_-]?token|client[_-]?secret|api[_-]?key)(?:\\{0,3}["']\s{0,2}:\s{0,2}(?:\\{0,3}["'])?|[=:]\s{0,2}\\{0,3}["']|[=:]))(?:(?<=")[^"\n]+|(?<=')[^'\n]+|[^\s"',;&}]+)/gi,
    `$1${REDACTED}`,
  ],
  [/\b(Auth:)[A-Za-z0-9+/=]+/g, `$1${REDACTED}`],
  // JSON Web Tokens.
  [/(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^-]*(?:-(?!----)[^-]*)*(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----)?/g,
    REDACTED,
  ],
];

/** The maximum length of an external string in an error or a log, in characters. */
export const maxSanitizedLength = 4_096;

/**
 * Makes an external string safe for an error or a log: removes secrets and control characters, including those that move a
 * terminal's cursor or change the writing direction, and shortens it. Line breaks become `\\n`, so that it cannot forge a
 * second log record.
 */
export function sanitize(text: string): string {
  // Redacts before it shortens, because no pattern matches half of a secret.
  const line = redactString(text)
    .replace(/\r?\n/g, "\\n")
    .replace(/[^\P{C}\t]|[\p{Zl}\p{Zp}]/gu, " ");
  const more = line.length - maxSanitizedLength;
  return more > 0 ? `${line.slice(0, maxSanitizedLength)}… (${more} more characters)` : line;
}

function isLong(value: object): value is { toString(): string } {
  return "__isLong__" in value && value.__isLong__ === true;
}
