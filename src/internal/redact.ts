/*
 * The one redactor. Secrets in CRI: registry credentials (`debug_redact` in the schema), values of environment variables, and
 * the URLs of streaming sessions, whose last path segment is a bearer token.
 */

/** What stands in place of a secret. */
export const REDACTED = "[redacted]";

/** Field names (camelCase) whose value is a secret wherever they occur. Those marked `debug_redact` in the schema are tested to be here. */
const secretFields: ReadonlySet<string> = new Set(["password", "auth", "identityToken", "registryToken", "url"]);

/** Lists of key and value whose values are secret: the environment of a container. */
const secretLists: ReadonlySet<string> = new Set(["envs", "env"]);

/**
 * A deep copy of a message (or of options) without its secrets: registry credentials, values of environment variables and
 * streaming URLs are replaced by `[redacted]`, bytes by their length, and text is cleaned as {@link redactText} does.
 */
export function redact(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.map(redact);
  if (isLong(value)) return value.toString();
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactField(key, item)]));
}

function redactField(key: string, value: unknown): unknown {
  if (secretLists.has(key)) return redactEnvironment(value);
  // `auth` names a message (AuthConfig) in one place and its base64 field in another: descend into the message.
  if (secretFields.has(key) && typeof value !== "object") return value === "" || value === undefined ? value : REDACTED;
  return redact(value);
}

function redactEnvironment(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map((entry) =>
      typeof entry === "object" && entry !== null ? { ...entry, value: REDACTED } : REDACTED,
    );
  }
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.keys(value).map((key) => [key, REDACTED]));
  return value;
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
