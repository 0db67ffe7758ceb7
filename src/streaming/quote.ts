import { REDACTED, redactString } from "../internal/redact.js";

/** Limit on a line that an error quotes, in characters. */
const maxLineLength = 256;

/** Returns the first line of a peer's message, safe to quote in an error: without control characters and secrets. */
export function firstLineOf(text: string, secrets: readonly (string | undefined)[] = []): string {
  // Redact before cutting: a secret that is cut in half would not be found.
  const redacted = secrets.reduce<string>((rest, secret) => (secret ? rest.replaceAll(secret, REDACTED) : rest), text);
  const [line = ""] = redactString(redacted)
    .slice(0, maxLineLength)
    .trim()
    .split(/[\r\n]/, 1);
  return line.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").trim();
}

/**
 * Returns the message of an error. The error for several failed addresses has no message, so the message for the first address is
 * used.
 */
export function messageOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  const text = error.message || (first instanceof Error ? first.message : "") || error.name;
  // OpenSSL puts its message between error numbers and file names.
  return /:SSL routines:[^:]*:([^:]+)/.exec(text)?.[1] ?? text;
}

/** Returns why something failed, in one line. */
export function reasonOf(error: Error): string {
  return firstLineOf(messageOf(error));
}
