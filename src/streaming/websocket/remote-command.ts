import { type Readable, Writable } from "node:stream";
import type { WebSocket } from "ws";
import { CriError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { reasonOf } from "../quote.js";
import { ShortOutput } from "../short-output.js";
import { maxStatusBytes, parseRemoteStatus } from "../status.js";
import { stdinCannotEnd } from "../stdin-cannot-end.js";
import type {
  DialOptions,
  RemoteCommand,
  RemoteCommandStreams,
  RemoteStatus,
  SessionOrigin,
  TerminalSize,
} from "../transport.js";
import { dialWebSocket } from "./dial.js";
import { asError, ChannelReadable, FlowControl, sendWithBackpressure } from "./flow.js";
import { channels, decodeFrame, encodeEnd, encodeResize, v4, v5 } from "./frames.js";
import { sendPings } from "./pings.js";

/**
 * Opens an exec or attach session over WebSocket. The attempt uses up the URL's token, even if it fails.
 *
 * All channels share one connection, which pauses while a requested output is not read. Destroy outputs that you do not need: the
 * status arrives last, after all output.
 */
export async function openWebSocketRemoteCommand(
  url: URL,
  streams: RemoteCommandStreams,
  options: DialOptions = {},
): Promise<RemoteCommand> {
  const socket = await dialWebSocket(url, [v5, v4], options);
  return new WebSocketRemoteCommand(socket, streams, options);
}

class WebSocketRemoteCommand implements RemoteCommand {
  readonly transport = "websocket";
  readonly protocol: string;
  /**
   * Always false. v4 has no message that ends a channel. v5 has one, but conmon-rs, the only CRI server with v5, then ends the
   * whole session, including output and exit code.
   */
  readonly canHalfCloseStdin = false;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly status: Promise<RemoteStatus>;

  readonly closed: Promise<void>;
  stdinBytes = 0;
  /** Always 0: a WebSocket channel does not end before the session. */
  readonly droppedBytes = 0;

  // Private, because the socket contains the URL, which `util.inspect` must not show.
  readonly #socket: WebSocket;
  readonly #outputs = new Map<number, ChannelReadable>();
  readonly #shortOutput = new ShortOutput();
  readonly #tty: boolean;
  readonly #origin: SessionOrigin | undefined;
  readonly #stopListening: (() => void) | undefined;
  #over = false;
  #stdinEnded = false;
  #resizing = false;
  #nextSize: TerminalSize | undefined;
  #resolve!: (status: RemoteStatus) => void;
  #reject!: (reason: unknown) => void;

  constructor(socket: WebSocket, streams: RemoteCommandStreams, { signal, pingIntervalMs, origin }: DialOptions) {
    this.#socket = socket;
    this.#origin = origin;
    this.#tty = streams.tty;
    this.protocol = socket.protocol;
    this.status = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.status.catch(() => {});
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    const flow = new FlowControl(socket);
    const output = (channel: number) => {
      const readable = new ChannelReadable(flow);
      this.#outputs.set(channel, readable);
      return readable;
    };
    this.stdin = streams.stdin ? this.#createStdin() : null;
    this.stdout = streams.stdout ? output(channels.stdout) : null;
    this.stderr = streams.stderr ? output(channels.stderr) : null;

    socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    socket.on("error", (error) => this.#fail(broken(reasonOf(error), error)));
    socket.on("close", (code, reason) => this.#onClose(code, reason));
    sendPings(socket, {
      pingIntervalMs,
      hasCommand: true,
      sentBytes: () => this.stdinBytes,
      isReadPaused: () => flow.isPaused,
      onTimeout: (error) => this.#fail(error),
    });
    this.#stopListening = signal && onAbort(signal, () => this.destroy(signal.reason));
    if (signal?.aborted) this.destroy(signal.reason);
    else if (socket.readyState === socket.OPEN) socket.resume();
    else this.#fail(ended(1006, ""));
  }

  get outputBytes(): number {
    return this.#shortOutput.length;
  }

  get shortOutput(): string | undefined {
    return this.#shortOutput.text;
  }

  resize(size: TerminalSize): void {
    if (this.#over || !this.#tty) return;
    this.#nextSize = size;
    if (!this.#resizing) this.#sendSize();
  }

  destroy(reason?: unknown): void {
    if (reason !== undefined) this.#end(reason);
    else this.#fail(new CriError({ code: "CANCELLED", message: "the session was closed", mayHaveTakenEffect: true }));
  }

  /** Sends one size at a time, so that a server that does not read gets no queue of outdated sizes. */
  #sendSize(): void {
    const frame = this.#nextSize && encodeResize(this.#nextSize);
    this.#nextSize = undefined;
    this.#resizing = frame !== undefined;
    if (frame) this.#socket.send(frame, () => this.#sendSize());
  }

  #createStdin(): Writable {
    const socket = this.#socket;
    const stdin = new Writable({
      highWaterMark: 64 * 1024,
      write: (chunk: Buffer, _encoding, callback) => {
        this.stdinBytes += chunk.length;
        sendWithBackpressure(socket, channels.stdin, chunk, callback);
      },
      final: (callback) => {
        this.#stdinEnded = true;
        if (this.protocol === v5) socket.send(encodeEnd(channels.stdin), callback);
        // The command keeps waiting for input, so a caller that relies on the end of stdin must get an error.
        else callback(this.#over ? null : stdinCannotEnd(this.#origin));
      },
    });
    return stdin.on("error", () => {});
  }

  #onMessage(message: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    const frame = decodeFrame(message);
    if (!isBinary) this.#fail(broken("the server sent a text message instead of a binary one"));
    else if (!frame) return;
    else if (frame.channel === channels.status) this.#takeStatus(frame.payload);
    else this.#takeOutput(frame.channel, frame.payload);
  }

  #takeStatus(bytes: Buffer): void {
    if (bytes.length > maxStatusBytes) {
      this.#fail(broken(`the server sent a status of more than ${maxStatusBytes} bytes`));
    } else this.#finish(parseRemoteStatus(bytes.toString()));
  }

  #takeOutput(channel: number, bytes: Buffer): void {
    const output = this.#outputs.get(channel);
    if (output) this.#shortOutput.add(bytes);
    output?.receive(bytes);
  }

  #onClose(code: number, reason: Buffer): void {
    // conmon-rs sends no status for exit code 0. It also sends none after the end of stdin, so a close after that does not prove
    // success.
    if (code === 1000 && this.protocol === v5 && !this.#stdinEnded) this.#finish({ kind: "exited", exitCode: 0 });
    else this.#fail(ended(code, reason.toString()));
  }

  #finish(status: RemoteStatus): void {
    if (!this.#settle()) return;
    this.#resolve(status);
    for (const output of this.#outputs.values()) if (!output.destroyed) output.push(null);
    if (this.stdin && !this.stdin.writableFinished) this.stdin.destroy(brokenPipe());
    this.#socket.close(1000);
    // A paused socket would not read the server's close frame.
    this.#socket.resume();
  }

  #fail(error: CriError): void {
    this.#end(error.during(this.#origin));
  }

  #end(reason: unknown): void {
    if (!this.#settle()) return;
    this.#reject(reason);
    const error = asError(reason);
    for (const stream of [...this.#outputs.values(), this.stdin]) stream?.destroy(error);
    this.#socket.terminate();
  }

  #settle(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#stopListening?.();
    return true;
  }
}

function ended(code: number, reason: string): CriError {
  const cause =
    code === 1006 ? "the connection was cut" : `close code ${code}${reason && `, ${JSON.stringify(reason)}`}`;
  const message = `the session ended before its status arrived (${cause})`;
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1, mayHaveTakenEffect: true });
}

function broken(reason: string, cause?: Error): CriError {
  const message = `the session broke before its status arrived: ${reason}`;
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1, mayHaveTakenEffect: true, cause });
}

function brokenPipe(): Error {
  return Object.assign(new Error("write EPIPE: the session is over"), { code: "EPIPE", syscall: "write" });
}
