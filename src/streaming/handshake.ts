import type { ClientRequest, IncomingMessage } from "node:http";
import { CriError, type CriErrorCode, type CriErrorInit } from "../errors.js";
import { firstLineOf, messageOf } from "./quote.js";
import { tlsRemedyFor } from "./tls.js";

/** Default time limit of a handshake, in milliseconds. */
export const defaultHandshakeTimeoutMs = 10_000;

/** Limit on interim responses (1xx) before the final response. CRI servers send none, proxies one or two. */
const maxInterimResponses = 8;

/** Limit on the bytes of a response body that are read to quote its first line. */
const maxBodyLength = 1_024;

/**
 * One attempt to start a session with a streaming server, over either protocol: its time limit and its errors.
 * The token in the URL is valid for one attempt. No error contains the token or the path, even if the server repeats them.
 */
export class Handshake {
  readonly timeoutMs: number;
  /** The host and port of the streaming server. */
  readonly host: string;
  readonly #url: URL;
  readonly #protocol: string;
  /** Whether the request may have been sent. If so, the server may have run the command. */
  #mayBeSent = false;

  constructor(url: URL, protocol: "SPDY/3.1" | "WebSocket", timeoutMs = defaultHandshakeTimeoutMs) {
    this.#url = url;
    this.host = url.host;
    this.#protocol = protocol;
    this.timeoutMs = timeoutMs;
  }

  /** Records when the request may have been sent, and limits interim responses. Call it before the request is sent. */
  watch(request: ClientRequest): void {
    let interimResponses = 0;
    const onInterimResponse = () => {
      if (++interimResponses <= maxInterimResponses) return;
      request.off("information", onInterimResponse);
      request.destroy(new Error(`it sent more than ${maxInterimResponses} interim responses`));
    };
    request.on("information", onInterimResponse);
    const connected = this.#url.protocol === "https:" ? "secureConnect" : "connect";
    request.once("socket", (socket) => {
      socket.once(connected, () => {
        this.#mayBeSent = true;
      });
    });
  }

  /**
   * Makes the error for a response other than 101: the server has started nothing. Reads only the part of the body that the message
   * quotes. Resolves even if the connection breaks meanwhile.
   */
  async refused(response: IncomingMessage): Promise<CriError> {
    const httpStatus = response.statusCode ?? 0;
    const [code, explanation] = meaningOf(httpStatus);
    const accepted = listOf(response.headersDistinct["x-accepted-stream-protocol-versions"]).join(", ");
    const line = this.#quote(await beginningOf(response));
    const details = [
      `HTTP ${httpStatus} for ${this.#protocol}`,
      accepted && `it supports only ${this.#quote(accepted)}`,
    ];
    const reason = details.filter(Boolean).join("; ");
    const message = `the streaming server ${this.host} ${explanation} (${reason})${line && `: ${line}`}`;
    return this.failure({ code, message });
  }

  /** Makes the error for a connection that failed or broke before a response. Without a cause, the server closed it. */
  unreachable(cause?: NodeJS.ErrnoException): CriError {
    const reason = cause ? this.#quote(messageOf(cause)) : "it closed the connection";
    const remedy = cause && tlsRemedyFor(cause);
    // A server that echoes the request puts the token into the bytes that the HTTP parser rejected.
    if (cause) Reflect.deleteProperty(cause, "rawPacket");
    return this.failure({
      code: "UNAVAILABLE",
      message:
        `cannot start a session with the streaming server ${this.host} over ${this.#protocol}: ${reason}` +
        (remedy ? `; ${remedy}` : ""),
      mayHaveTakenEffect: this.#mayBeSent,
      cause,
    });
  }

  /** Makes the error for an attempt that timed out. */
  timedOut(): CriError {
    return this.failure({
      code: "DEADLINE_EXCEEDED",
      message: `the streaming server ${this.host} did not complete the ${this.#protocol} handshake within ${this.timeoutMs} ms`,
      mayHaveTakenEffect: this.#mayBeSent,
    });
  }

  /** Makes the error for any other failure of this attempt. */
  failure(init: CriErrorInit): CriError {
    return new CriError({ ...init, attempts: 1 });
  }

  #quote(text: string): string {
    const token = this.#url.pathname.split("/").findLast((segment) => segment !== "");
    return firstLineOf(text, [token, this.#url.search]);
  }
}

/** Splits the values of a header that may be repeated, hold a list, or both. Returns at most 16 items. */
export function listOf(values: readonly string[] | undefined): string[] {
  const items = (values ?? []).flatMap((value) => value.split(",")).map((item) => item.trim());
  return items.filter((item) => item !== "").slice(0, 16);
}

type Meaning = readonly [CriErrorCode, string];

/** UNIMPLEMENTED makes the client try the other protocol. */
const notSupported: Meaning = ["UNIMPLEMENTED", "refused the session or does not support the protocol"];

const meanings: ReadonlyMap<number, Meaning> = new Map([
  [401, ["UNAUTHENTICATED", "requires other credentials"]],
  [404, ["NOT_FOUND", "has no session for this URL: its token expired or was already used"]],
  [501, notSupported],
]);

/** No CRI streaming server redirects. Following one would let a server lead the session to another host. */
const redirected: Meaning = ["UNIMPLEMENTED", "answered with a redirect, which sessions do not follow"];

function meaningOf(httpStatus: number): Meaning {
  if (httpStatus >= 300 && httpStatus < 400) return redirected;
  const failed: Meaning = ["UNAVAILABLE", "failed to start the session"];
  return meanings.get(httpStatus) ?? (httpStatus >= 500 ? failed : notSupported);
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      length += part.length;
      if (length >= maxBodyLength || part.includes("\n")) break;
    }
  } catch {
    // The HTTP status suffices for the error.
  }
  return Buffer.concat(parts).subarray(0, maxBodyLength).toString("utf8");
}
