/*
 * The one redactor. Secrets in CRI: registry credentials (`debug_redact` in the schema), values of environment variables, and
 * the URLs of streaming sessions, whose last path segment is a bearer token.
 */

import { plain } from "./field-names.js";

/** What stands in place of a secret. */
export const REDACTED = "[redacted]";

/** Names of fields whose value is a secret wherever they occur, as {@link plain} spells them. Those marked `debug_redact` in the schema are tested to be here. */
const secretFields: ReadonlySet<string> = new Set(["password", "auth", "identitytoken", "registrytoken", "url"]);

/** Lists of key and value whose values are secret: the environment of a container, in a message, a spec and an OCI spec. */
const secretLists: ReadonlySet<string> = new Set(["envs", "env"]);

/** What becomes of the values that a log cannot show as they are. */
interface Style {
  bytes(shown: string): unknown;
  long(value: object): unknown;
}

const encoder = new TextEncoder();
const messageStyle: Style = { bytes: (shown) => encoder.encode(shown), long: (value) => value };
const logStyle: Style = { bytes: (shown) => shown, long: String };

/**
 * Returns a deep copy of a message, a spec or options without its secrets. Registry credentials, values of environment variables
 * and streaming URLs become `[redacted]`, other bytes their length, and text is cleaned of tokens and of credentials in URLs.
 * Text that is JSON, such as the verbose info of `inspect()`, is redacted inside, where numbers beyond 2^53 may lose digits.
 *
 * A message stays a message of its type: `messageToJson(ContainerStatus, redact(status))` works. Redacted bytes are UTF-8.
 */
export function redact<T>(value: T): T {
  return redactValue(value, messageStyle) as T;
}

/** Like {@link redact}, as plain data for a log: bytes and 64-bit numbers become strings. */
export function redactForLog(value: unknown): unknown {
  return redactValue(value, logStyle);
}

function redactValue(value: unknown, style: Style): unknown {
  if (typeof value === "string") return redactJson(value) ?? redactText(value);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  if (value instanceof Uint8Array) return style.bytes(`[${value.length} bytes]`);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, style));
  if (isLong(value)) return style.long(value);
  return mapFields(value, (key, item) => redactField(key, item, style));
}

function redactField(name: string, value: unknown, style: Style): unknown {
  const key = plain(name);
  if (secretLists.has(key)) return redactEnvironment(value, style);
  // `auth` names a message (AuthConfig) in one place and its base64 field in another: descend into the message.
  if (secretFields.has(key) && typeof value !== "object") return value === "" || value === undefined ? value : REDACTED;
  return redactValue(value, style);
}

/** Accepts a list of `{ key, value }`, `{ name, value }` or `NAME=value`, and an object of names and values. */
function redactEnvironment(value: unknown, style: Style): unknown {
  const hide = (secret: unknown) => (secret instanceof Uint8Array ? style.bytes(REDACTED) : REDACTED);
  if (Array.isArray(value)) {
    return value.map((entry) => {
      if (typeof entry === "object" && entry !== null) {
        return mapFields(entry, (name, item) => (plain(name) === "value" ? hide(item) : redactValue(item, style)));
      }
      const name = /^[^=]*=/.exec(String(entry))?.[0] ?? "";
      return `${name}${REDACTED}`;
    });
  }
  return typeof value === "object" && value !== null ? mapFields(value, (_, item) => hide(item)) : value;
}

/** JSON text with the secrets in it replaced, or `undefined` for text that is not a JSON object or array. */
function redactJson(text: string): string | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  try {
    const redacted = JSON.stringify(redactValue(data, logStyle));
    return redacted === JSON.stringify(data) ? text : redacted;
  } catch {
    return REDACTED; // nested more deeply than the stack allows
  }
}

function mapFields(value: object, map: (key: string, item: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, map(key, item)]));
}

/**
 * Text without streaming tokens and without credentials in URLs. Runtimes quote both in their error messages. Every pattern takes
 * time in proportion to the text, whatever it says: the text may be 64 KiB of somebody's malice.
 */
export function redactText(text: string): string {
  return text
    .replace(/(\/(?:exec|attach|portforward)\/)[A-Za-z0-9_-]+/g, `$1${REDACTED}`)
    .replace(/(:\/\/)[^/\s@"']+@/g, `$1${REDACTED}@`)
    .replace(/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{6,}/g, `$1 ${REDACTED}`);
}

/** How much of somebody else's text goes into an error or a log, in characters. */
export const maxTextLength = 4_096;

/**
 * Text that somebody else wrote, fit for an error or a log: without secrets, with nothing in it that moves a terminal's cursor or
 * turns the direction of writing, and not longer than anybody reads.
 */
export function harmlessText(text: string): string {
  // Redacted before it is cut: half a secret would not be found.
  const said = redactText(text).replace(/[^\P{C}\t\n]|[\p{Zl}\p{Zp}]/gu, " ");
  const more = said.length - maxTextLength;
  return more > 0 ? `${said.slice(0, maxTextLength)}… (${more} more characters)` : said;
}

function isLong(value: object): value is { toString(): string } {
  return "__isLong__" in value && value.__isLong__ === true;
}
