import type { ClientRequest, IncomingMessage } from "node:http";
import { CriError, type CriErrorCode, type CriErrorInit } from "../errors.js";
import { firstLineOf, messageOf } from "./quote.js";
import { tlsRemedyFor } from "./tls.js";

/** How long a handshake may take, in milliseconds, unless told otherwise. */
export const defaultHandshakeTimeoutMs = 10_000;

/** Interim responses (1xx) that a server may send before its answer. No server of CRI sends any, and a proxy one or two. */
const maxInterimResponses = 8;

/** How much of an answer's body is read for its first line. */
const maxBodyLength = 1_024;

/**
 * One try to start a session with a streaming server, over either protocol: how long it may take, and what is said when it fails.
 * The token in the URL is used up by the try. No error holds the token or the path, even if the server repeats them.
 */
export class Handshake {
  readonly timeoutMs: number;
  readonly #url: URL;
  readonly #protocol: string;
  /** Whether the request may have left: the server may have taken it, and run the command. */
  #mayBeSent = false;

  constructor(url: URL, protocol: "SPDY/3.1" | "WebSocket", timeoutMs = defaultHandshakeTimeoutMs) {
    this.#url = url;
    this.#protocol = protocol;
    this.timeoutMs = timeoutMs;
  }

  /** Takes note of when the request can leave, and ends one that is answered without an end; to be called before it leaves. */
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
   * The server answered with anything but 101, so that nothing was run. Reads as much of the answer as the message takes, and
   * resolves whatever becomes of the connection.
   */
  async refused(response: IncomingMessage): Promise<CriError> {
    const httpStatus = response.statusCode ?? 0;
    const [code, words] = meaningOf(httpStatus);
    const spoken = listOf(response.headersDistinct["x-accepted-stream-protocol-versions"]).join(", ");
    const line = this.#quote(await beginningOf(response));
    const details = [`HTTP ${httpStatus} for ${this.#protocol}`, spoken && `it speaks ${this.#quote(spoken)} only`];
    const message = `the streaming server ${words} (${details.filter(Boolean).join("; ")})${line && `: ${line}`}`;
    return this.failure({ code, message });
  }

  /** There is no connection, or it broke before an answer; without an error the server hung up. */
  unreachable(cause?: NodeJS.ErrnoException): CriError {
    const reason = cause ? this.#quote(messageOf(cause)) : "it hung up";
    const remedy = cause && tlsRemedyFor(cause);
    // What a parser could not read may be the request, token and all, from a server that echoes.
    if (cause) Reflect.deleteProperty(cause, "rawPacket");
    return this.failure({
      code: "UNAVAILABLE",
      message: `cannot start a session with the streaming server over ${this.#protocol}: ${reason}${remedy ? `; ${remedy}` : ""}`,
      mayHaveTakenEffect: this.#mayBeSent,
      cause,
    });
  }

  /** The time is over. */
  timedOut(): CriError {
    return this.failure({
      code: "DEADLINE_EXCEEDED",
      message: `the streaming server did not complete the ${this.#protocol} handshake within ${this.timeoutMs} ms`,
      mayHaveTakenEffect: this.#mayBeSent,
    });
  }

  /** Any other failure of this try. */
  failure(init: CriErrorInit): CriError {
    return new CriError({ ...init, endpoint: this.#url.host, attempts: 1 });
  }

  #quote(text: string): string {
    const token = this.#url.pathname.split("/").findLast((segment) => segment !== "");
    return firstLineOf(text, [token, this.#url.search]);
  }
}

/** The values of a header that may be repeated, hold a list, or both. */
export function listOf(values: readonly string[] | undefined): string[] {
  const items = (values ?? []).flatMap((value) => value.split(",")).map((item) => item.trim());
  return items.filter((item) => item !== "").slice(0, 16);
}

type Meaning = readonly [CriErrorCode, string];

/** UNIMPLEMENTED means that the other protocol is worth a try. */
const notSpoken: Meaning = ["UNIMPLEMENTED", "refused the session or does not speak the protocol"];

const meanings: ReadonlyMap<number, Meaning> = new Map([
  [401, ["UNAUTHENTICATED", "demands other credentials"]],
  [404, ["NOT_FOUND", "does not know the session: its token has expired or was used before"]],
  [501, notSpoken],
]);

/** No streaming server of CRI does that, and a session goes nowhere but where its URL leads. */
const redirected: Meaning = ["UNIMPLEMENTED", "would have the session go elsewhere, which it does not"];

function meaningOf(httpStatus: number): Meaning {
  if (httpStatus >= 300 && httpStatus < 400) return redirected;
  const failed: Meaning = ["UNAVAILABLE", "failed to start the session"];
  return meanings.get(httpStatus) ?? (httpStatus >= 500 ? failed : notSpoken);
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
    // The status is what counts.
  }
  return Buffer.concat(parts).subarray(0, maxBodyLength).toString("utf8");
}
