/*
 * The one redactor. Secrets in CRI: registry credentials (`debug_redact` in the schema), values of environment variables, and
 * the URLs of streaming sessions, whose last path segment is a bearer token.
 */

import { plain } from "./field-names.js";

/** What stands in place of a secret. */
export const REDACTED = "[redacted]";

/**
 * Names of fields whose values are secret wherever they occur, as {@link nameOf} spells them: what the schema marks
 * `debug_redact`, and what Docker, Kubernetes, HTTP and clouds call their credentials.
 */
const secretName =
  /(?:(?:password|passwd|passphrase|pwd|token|secret|credential|authorization|cookie|(?:private|secret|access|api|client|account|encryption|signing|ssh|tls)key)s?(?:data|pem|value)?|dockercfg|dockerconfigjson|registryauth|registryconfig|^auth|^pass|^url)$/;

/** Inside a secret, these name what the secret is for. */
const publicNames: ReadonlySet<string> = new Set(["username", "serveraddress", "name", "namespace", "secretname"]);

/** Fields that hold an environment, in a message, a spec, an OCI spec and Docker's inspection. */
const environmentNames: ReadonlySet<string> = new Set(["envs", "env", "environ", "environment"]);

/** How deep values are followed. What lies deeper is hidden: no message or file is nested like this. */
const maxDepth = 200;

/** What becomes of the values that a log cannot show as they are. */
interface Style {
  bytes(shown: string): unknown;
  long(value: object): unknown;
}

const encoder = new TextEncoder();
const messageStyle: Style = { bytes: (shown) => encoder.encode(shown), long: (value) => value };
const logStyle: Style = { bytes: (shown) => shown, long: String };

/**
 * Returns a deep copy of a message, a spec or options without its secrets. Values under the names of credentials (`password`,
 * `registry_token`, `Authorization` and so on, in any spelling), values of environment variables and streaming URLs become
 * `[redacted]`, and so do `data` and `stringData` of a Kubernetes Secret. Other bytes become their length. Text is cleaned of
 * private keys, tokens, and credentials in URLs. Text that is JSON, such as the verbose info of `inspect()`, is redacted inside,
 * where numbers beyond 2^53 may lose digits.
 *
 * A message stays a message of its type: `messageToJson(ContainerStatus, redact(status))` works. Redacted bytes are UTF-8. Objects
 * that contain themselves are copied as such. What is nested more than 200 levels deep becomes `[redacted]`.
 */
export function redact<T>(value: T): T {
  return new Redaction(messageStyle).of(value) as T;
}

/** Like {@link redact}, as plain data for a log: bytes and 64-bit numbers become strings. */
export function redactForLog(value: unknown): unknown {
  return new Redaction(logStyle).of(value);
}

/** What the place of a value says about it: nothing, that all of it is secret, that it is an environment, or one variable of it. */
type Place = "open" | "secret" | "environment" | "variable";

/** The copy of one value. */
class Redaction {
  readonly #style: Style;
  /** Copies by place and original: a value may contain itself, and be secret in one place and open in another. */
  readonly #copies = new Map<Place, Map<object, object>>();
  #depth = 0;

  constructor(style: Style) {
    this.#style = style;
  }

  of(value: unknown, place: Place = "open"): unknown {
    if (typeof value === "string") return this.#text(value, place);
    const isOpen = place === "open" || place === "variable";
    if (typeof value === "number" || typeof value === "bigint") return isOpen ? value : REDACTED;
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Uint8Array) return this.#style.bytes(isOpen ? `[${value.length} bytes]` : REDACTED);
    if (value instanceof Date) return isOpen ? value : REDACTED;
    if (value instanceof URL) return isOpen ? redactText(value.href) : REDACTED;
    if (isLong(value)) return isOpen ? this.#style.long(value) : REDACTED;
    return this.#copies.get(place)?.get(value) ?? this.#copy(value, place);
  }

  #text(text: string, place: Place): string {
    if (text === "") return text;
    if (place === "secret") return REDACTED;
    // A line without a name goes on with the value of the line before.
    if (place === "environment") return text.replace(/^([^=\n]*=)?.+$/gm, (_, name = "") => `${name}${REDACTED}`);
    return this.#json(text) ?? redactText(text);
  }

  #copy(value: object, place: Place): unknown {
    if (this.#depth >= maxDepth) return REDACTED;
    this.#depth++;
    const copy = Array.isArray(value) ? this.#list(value, place) : this.#fields(value, place);
    this.#depth--;
    return copy;
  }

  /** Notes a copy before it is complete: what it is a copy of may contain itself. */
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
      // Not assigned: a key may be __proto__. Keys may be URLs with credentials.
      Object.defineProperty(copy, redactText(key), {
        value: this.of(item, isData ? "secret" : placeOf(name, place)),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return copy;
  }

  /** JSON text with the secrets in it replaced, or `undefined` for text that is no JSON text, list or object. */
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
      return REDACTED; // nested more deeply than the stack allows
    }
  }
}

/** A name of a field, to compare spellings: `X-Registry-Auth` and `registry_auth` end alike. */
function nameOf(key: string): string {
  return plain(key).replace(/^\.+/, "");
}

function placeOf(name: string, outer: Place): Place {
  if (outer === "environment" || (outer === "variable" && name === "value")) return "secret";
  if (outer === "secret") return publicNames.has(name) ? "open" : "secret";
  if (environmentNames.has(name)) return "environment";
  return secretName.test(name) ? "secret" : "open";
}

/**
 * Text without private keys, tokens, and credentials in URLs and beside their names. Runtimes quote all of them in their error
 * messages. Every pattern takes time in proportion to the text, whatever it says: the text may be 64 KiB of somebody's malice.
 */
export function redactText(text: string): string {
  return patterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

const patterns: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // The URL of a streaming session ends in its token.
  [/(\/(?:exec|attach|portforward)\/)[A-Za-z0-9_-]+/g, `$1${REDACTED}`],
  // https://me:password@host, also with an @ or a / in the password, but not an image's digest behind the port of its registry.
  [/(:\/\/)[^/\s@:"']{0,64}:(?!\/\/)[^\s"']{0,100}@(?!sha\d+:)/g, `$1${REDACTED}@`],
  [/(:\/\/)[^/\s"']+@/g, `$1${REDACTED}@`],
  [/([?&;][\w.-]*(?:token|signature|sig|secret|password|passwd|key|credential|auth)=)[^&;#\s"']+/gi, `$1${REDACTED}`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/g, `$1 ${REDACTED}`],
  // What Go prints of a struct, JSON that is cut off or quoted, and command lines. A value in quotes may hold spaces.
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

/** How much of somebody else's text goes into an error or a log, in characters. */
export const maxTextLength = 4_096;

/**
 * Text that somebody else wrote, fit for an error or a log: without secrets, with nothing in it that moves a terminal's cursor or
 * turns the direction of writing, and not longer than anybody reads. It is one line: line breaks become `\\n`, so that nobody can
 * forge a log record.
 */
export function harmlessText(text: string): string {
  // Redacted before it is cut: half a secret would not be found.
  const said = redactText(text)
    .replace(/\r?\n/g, "\\n")
    .replace(/[^\P{C}\t]|[\p{Zl}\p{Zp}]/gu, " ");
  const more = said.length - maxTextLength;
  return more > 0 ? `${said.slice(0, maxTextLength)}… (${more} more characters)` : said;
}

function isLong(value: object): value is { toString(): string } {
  return "__isLong__" in value && value.__isLong__ === true;
}
