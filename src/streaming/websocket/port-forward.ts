import { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { CriError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { reasonOf } from "../quote.js";
import type { DialOptions } from "../transport.js";
import { dialWebSocket } from "./dial.js";
import { asError, Gate, sendPaced } from "./flow.js";
import { decodeFrame, v4 } from "./frames.js";
import { sendPings } from "./pings.js";

/** Of the only port of a session: bytes of the connection, and text about its failure. */
const dataChannel = 0;
const errorChannel = 1;

/** Longest text about a failure that is taken over. */
const maxErrorLength = 1_000;

/** How long an ended connection waits for more from the pod. */
const lingerMs = 5_000;

/**
 * Connects to a port of a pod over WebSocket. The PortForward call has to have named this port and no other: servers make one
 * connection per port named, at once.
 *
 * The protocol cannot say that one direction has ended. After `end()` the pod's answer is still read until nothing has come for
 * five seconds; then the connection is closed.
 */
export async function openWebSocketPortForward(url: URL, port: number, options: DialOptions = {}): Promise<Duplex> {
  return new ForwardedPort(await dialWebSocket(url, [v4], options), port, options);
}

class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  readonly #port: number;
  readonly #gate: Gate;
  readonly #prefixes = new Map([dataChannel, errorChannel].map((channel) => [channel, [] as number[]]));
  readonly #stopListening: (() => void) | undefined;
  #linger: NodeJS.Timeout | undefined;
  #remoteEnded = false;
  #sentBytes = 0;

  constructor(socket: WebSocket, port: number, { signal, pingIntervalMs }: DialOptions) {
    super({ allowHalfOpen: false, readableHighWaterMark: 128 * 1024, writableHighWaterMark: 64 * 1024 });
    this.#socket = socket;
    this.#port = port;
    this.#gate = new Gate(socket);
    // Nobody has to listen.
    this.on("error", () => {});
    socket.on("message", (data, isBinary) => this.#onMessage(data as Buffer, isBinary));
    socket.on("error", (error) => this.destroy(broken(reasonOf(error), error)));
    socket.on("close", (code) => {
      if (code === 1000) this.#endRemote();
      else this.destroy(broken(code === 1006 ? "the connection was cut" : `close code ${code}`));
    });
    sendPings(socket, {
      pingIntervalMs,
      hasCommand: false,
      sentBytes: () => this.#sentBytes,
      isHeld: () => this.#gate.closed,
      onSilence: (error) => this.destroy(error),
    });
    this.#stopListening = signal && onAbort(signal, () => this.destroy(asError(signal.reason)));
    if (signal?.aborted) this.destroy(asError(signal.reason));
    else if (socket.readyState === socket.OPEN) socket.resume();
    else this.destroy(broken("the connection was cut"));
  }

  override _read(): void {
    this.#gate.open(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#sentBytes += chunk.length;
    // As with a pod that has closed but whose last words are still being read: an error would take them away.
    if (this.#remoteEnded) callback();
    else sendPaced(this.#socket, dataChannel, chunk, callback);
  }

  override _final(callback: () => void): void {
    if (!this.#remoteEnded) {
      this.#linger = setTimeout(() => {
        if (this.#gate.closed || this.#socket.bufferedAmount > 0) return this.#linger?.refresh();
        this.#endRemote();
        this.#socket.close(1000);
      }, lingerMs);
    }
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#linger);
    this.#stopListening?.();
    this.#remoteEnded = true;
    if (error) this.#socket.terminate();
    else this.#socket.close(1000);
    // Else the server's close frame would not be seen.
    this.#socket.resume();
    callback(error);
  }

  #onMessage(message: Buffer, isBinary: boolean): void {
    if (this.#remoteEnded) return;
    if (!isBinary) return void this.destroy(broken("the server sent text where only bytes belong"));
    const frame = decodeFrame(message);
    const payload = frame && this.#withoutPrefix(frame.channel, frame.payload);
    if (!frame || !payload || payload.length === 0) return;
    if (frame.channel === errorChannel) return void this.destroy(failed(payload));
    this.#linger?.refresh();
    if (!this.push(payload)) this.#gate.close(this);
  }

  /** Both channels begin with the port, in two bytes that may come in one message or two. Undefined for channels that are not ours. */
  #withoutPrefix(channel: number, payload: Buffer): Buffer | undefined {
    const prefix = this.#prefixes.get(channel);
    if (!prefix) return undefined;
    const missing = 2 - prefix.length;
    if (missing === 0) return payload;
    prefix.push(...payload.subarray(0, missing));
    const [low, high] = prefix;
    if (low !== undefined && high !== undefined && low + high * 256 !== this.#port) {
      this.destroy(broken(`the server forwards port ${low + high * 256} instead of ${this.#port}`));
    }
    return payload.subarray(missing);
  }

  #endRemote(): void {
    if (this.#remoteEnded) return;
    this.#remoteEnded = true;
    clearTimeout(this.#linger);
    this.push(null);
  }
}

function broken(why: string, cause?: Error): CriError {
  return new CriError({ code: "UNAVAILABLE", message: `the forwarded connection broke: ${why}`, attempts: 1, cause });
}

function failed(text: Buffer): CriError {
  const message = text.toString("utf8", 0, maxErrorLength).trim();
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1 });
}
