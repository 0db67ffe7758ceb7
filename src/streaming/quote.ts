import { REDACTED, redactText } from "../internal/redact.js";

/** What an error takes over from elsewhere, in characters. */
const maxLineLength = 256;

/** The first line of what somebody else says, fit for an error: nothing in it moves a terminal's cursor or gives a secret away. */
export function firstLineOf(text: string, secrets: readonly (string | undefined)[] = []): string {
  // Before anything is cut: half a secret would not be found.
  const said = secrets.reduce<string>((rest, secret) => (secret ? rest.replaceAll(secret, REDACTED) : rest), text);
  const [line = ""] = redactText(said)
    .slice(0, maxLineLength)
    .trim()
    .split(/[\r\n]/, 1);
  return line.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, " ").trim();
}

/** The message of an error, also of the one that stands for several failed addresses and has none. */
export function messageOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  const text = error.message || (first instanceof Error ? first.message : "") || error.name;
  // What OpenSSL says comes between its numbers and file names.
  return /:SSL routines:[^:]*:([^:]+)/.exec(text)?.[1] ?? text;
}

/** Why something failed, in one line. */
export function reasonOf(error: Error): string {
  return firstLineOf(messageOf(error));
}
