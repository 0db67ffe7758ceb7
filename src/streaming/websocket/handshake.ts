import type { IncomingMessage } from "node:http";
import { CriError } from "../../errors.js";

/** What is read of the body of a refusal. */
const maxLineLength = 200;

/** A server that answered something other than 101. The command has not run. */
export function handshakeRefused(statusCode: number, line: string, protocols: readonly string[]): CriError {
  const said = line === "" ? `HTTP ${statusCode}` : `HTTP ${statusCode}: ${line}`;
  switch (statusCode) {
    case 404:
      return refusal(
        "NOT_FOUND",
        `the streaming server does not know this session: its URL is good for one connection within a minute (${said})`,
      );
    case 401:
      return refusal("UNAUTHENTICATED", `the streaming server wants other credentials (${said})`);
    case 400:
    case 403:
    case 405:
    case 426:
    case 501:
      return refusal("UNIMPLEMENTED", `the streaming server refused WebSocket ${protocols.join(", ")} (${said})`);
    default:
      return refusal("UNAVAILABLE", `the streaming server refused the session (${said})`);
  }
}

function refusal(code: CriError["code"] & string, message: string): CriError {
  return new CriError({ code, message, attempts: 1 });
}

/** A connection that could not be made, or an answer that is no WebSocket handshake. */
export function handshakeFailed(error: Error): CriError {
  const { syscall } = error as NodeJS.ErrnoException;
  return new CriError({
    code: "UNAVAILABLE",
    message: `the streaming server cannot be reached over WebSocket: ${reasonOf(error)}`,
    attempts: 1,
    // Past connecting, the token may have been spent on a command that runs.
    mayHaveTakenEffect: syscall !== "connect" && syscall !== "getaddrinfo",
    cause: error,
  });
}

/** No answer in time. */
export function handshakeTimedOut(timeoutMs: number): CriError {
  return new CriError({
    code: "DEADLINE_EXCEEDED",
    message: `no WebSocket handshake with the streaming server within ${timeoutMs} ms`,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

/** The message of an error, also of the one that stands for several failed addresses and has none. */
export function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
  const text = error.message || (first instanceof Error ? first.message : "") || error.name;
  return text.slice(0, maxLineLength);
}

/** Calls back, perhaps more than once, with the first line of a body, cut to a length fit for an error. */
export function firstLine(response: IncomingMessage, callback: (line: string) => void): void {
  let text = "";
  const done = () =>
    callback(
      (text.split(/[\r\n]/, 1)[0] ?? "")
        .replace(/\p{Cc}/gu, " ")
        .slice(0, maxLineLength)
        .trim(),
    );
  response.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1", 0, maxLineLength);
    if (text.length >= maxLineLength || /[\r\n]/.test(text)) done();
  });
  for (const event of ["end", "error", "close"]) response.once(event, done);
}
