import { once } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { Status } from "nice-grpc-common";
import { startTimer } from "../../internal/timer.js";
import {
  encodeStatusMessage,
  frame,
  type MetadataValue,
  parseTimeout,
  toMetadata,
  tooLarge,
  unframe,
} from "./framing.js";

/** Why a call ended before its handler did. */
export type AbortCause = "cancelled" | "deadline" | "killed";

/** The reason of {@link IncomingCall.signal}. */
export class CallAborted extends Error {
  constructor(readonly why: AbortCause) {
    super(why === "deadline" ? "context deadline exceeded" : "context canceled");
  }
}

/** The connection of a call. */
export interface Connection {
  /** Counts from 1 in the order in which connections were accepted. */
  readonly ordinal: number;
  /** Breaks the connection without notice to the client. */
  destroy(): void;
}

/** How a message is sent. */
export interface SendOptions {
  /** Sends the message in pieces. */
  readonly pace?: Pace | undefined;
  /** The number of zero bytes that follow as a part of the message. */
  readonly zeros?: number | undefined;
}

/** How a message is sent in pieces. */
export interface Pace {
  readonly chunkBytes: number;
  /** Waits until the next piece is due. Rejects when the call is aborted. */
  pause(): Promise<void>;
}

/** One gRPC call on the server: reads the request's bytes, and sends messages and a status. */
export class IncomingCall {
  /** `/runtime.v1.RuntimeService/Version` */
  readonly path: string;
  readonly metadata: Record<string, MetadataValue>;
  /** The raw `grpc-timeout` header. */
  readonly grpcTimeout: string | undefined;
  readonly deadline: Date | undefined;
  /** Aborts with a {@link CallAborted} when the client cancels or disconnects, the deadline passes or the server is killed. */
  readonly signal: AbortSignal;
  /** Resolves when nothing more can be sent. */
  readonly closed: Promise<void>;
  readonly #controller = new AbortController();
  readonly #stream: ServerHttp2Stream;
  readonly #stopTimer: () => void;
  #trailers: OutgoingHttpHeaders | undefined;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    readonly connection: Connection,
    /** Aborts when the server is killed. Unlike {@link signal}, it does not abort when the client disconnects. */
    readonly killed: AbortSignal,
    private readonly maxMessageBytes: number,
  ) {
    this.#stream = stream;
    this.path = headers[":path"] ?? "";
    this.metadata = toMetadata(rawHeaders);
    this.signal = this.#controller.signal;
    this.grpcTimeout = headers["grpc-timeout"] as string | undefined;
    const timeoutMs = this.grpcTimeout === undefined ? undefined : parseTimeout(this.grpcTimeout);
    this.deadline = timeoutMs === undefined ? undefined : new Date(Date.now() + timeoutMs);
    this.#stopTimer = timeoutMs === undefined ? () => {} : startTimer(timeoutMs, () => this.abort("deadline"));
    stream.on("error", () => {});
    stream.on("wantTrailers", () => stream.sendTrailers(this.#trailers ?? {}));
    this.closed = new Promise((resolve) => {
      stream.once("close", () => {
        this.#stopTimer();
        if (!this.#trailers) this.abort("cancelled");
        resolve();
      });
    });
  }

  /** Whether a status was sent. */
  get finished(): boolean {
    return this.#trailers !== undefined;
  }

  abort(why: AbortCause): void {
    if (!this.#trailers && !this.signal.aborted) this.#controller.abort(new CallAborted(why));
  }

  /** Resolves with the only message of the request. */
  request(): Promise<Uint8Array> {
    const stream = this.#stream;
    const chunks: Buffer[] = [];
    let size = 0;
    return new Promise((resolve, reject) => {
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size <= this.maxMessageBytes + 5) chunks.push(chunk);
      });
      stream.once("end", () => {
        try {
          if (size > this.maxMessageBytes + 5) throw tooLarge(size - 5, this.maxMessageBytes);
          resolve(unframe(Buffer.concat(chunks), this.maxMessageBytes));
        } catch (error) {
          reject(error);
        }
      });
      void this.closed.then(() => reject(this.signal.reason ?? new CallAborted("cancelled")));
    });
  }

  /** Sends one message. Resolves when the client can receive more. */
  async send(message: Uint8Array, { pace, zeros = 0 }: SendOptions = {}): Promise<void> {
    if (this.#isClosed()) return;
    if (!this.#stream.headersSent) {
      this.#stream.respond(responseHeaders(), { waitForTrailers: true });
    }
    await this.#write(frame(message, zeros), pace);
    for (let left = zeros; left > 0 && !this.#isClosed(); left -= zeroChunk.length) {
      await this.#write(zeroChunk.subarray(0, left), pace);
    }
  }

  /** Ends the call with a status. */
  finish(code: Status, details = "", metadata: Readonly<Record<string, string>> = {}): void {
    if (this.#trailers) return;
    this.#trailers = { "grpc-status": String(code), ...metadata };
    if (code !== Status.OK || details) this.#trailers["grpc-message"] = encodeStatusMessage(details);
    this.#stopTimer();
    if (this.#isClosed()) return;
    if (this.#stream.headersSent) this.#stream.end();
    else this.#stream.respond({ ...responseHeaders(), ...this.#trailers }, { endStream: true });
  }

  async #write(bytes: Uint8Array, pace: Pace | undefined): Promise<void> {
    const step = pace?.chunkBytes ?? bytes.length;
    for (let sent = 0; sent < bytes.length; sent += step) {
      await pace?.pause();
      if (this.#isClosed()) return;
      const more = this.#stream.write(bytes.subarray(sent, sent + step));
      if (!more) await Promise.race([once(this.#stream, "drain"), this.closed]);
    }
  }

  #isClosed(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }
}

const zeroChunk = new Uint8Array(1 << 16);

function responseHeaders(): OutgoingHttpHeaders {
  return { ":status": 200, "content-type": "application/grpc" };
}
