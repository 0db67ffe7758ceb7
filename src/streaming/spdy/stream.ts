import { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { resetStatus } from "./frames.js";
import type { SpdyHeaders } from "./headers.js";
import { protocolError } from "./protocol-error.js";
import { withResolvers } from "./with-resolvers.js";

/** What a stream asks of its connection. */
export interface StreamOwner {
  /** Calls back once the bytes have left for the network, or never if the connection ends before. */
  sendData(streamId: number, chunks: readonly Buffer[], callback: StreamCallback): void;
  sendFin(streamId: number, callback?: StreamCallback): void;
  sendReset(streamId: number, status: number): void;
  /** The stream's reader lags behind: nothing more may arrive for now. */
  hold(stream: SpdyStream): void;
  release(stream: SpdyStream): void;
  /** Nothing more is expected to arrive for the stream. */
  forget(stream: SpdyStream): void;
}

export type StreamCallback = (error?: Error | null) => void;

/** Which sides of a stream its user gets to see. */
export interface SpdyStreamOptions {
  /** @defaultValue true; what arrives otherwise is dropped */
  readable?: boolean;
  /** @defaultValue true; the side is otherwise left open until {@link SpdyStream.closeWriting} or the end */
  writable?: boolean;
  /** Destroying it only stops listening: the peer goes on undisturbed. @defaultValue false, which breaks the stream off */
  detachable?: boolean;
  /** Gets what arrives, before the reader does. */
  onBytes?: (bytes: Buffer) => void;
}

/** Bytes that wait for a stream's reader before the whole connection stops reading. */
const readBuffer = 131_072;
/** Bytes that wait to be sent before `write()` says so: enough that several writes of 64 KiB leave together. */
const writeBuffer = 262_144;

/** Ends of a stream that say nothing about its content: the usual one, and answers to something that was sent too late. */
const harmlessResets: ReadonlySet<number> = new Set([
  resetStatus.cancel,
  resetStatus.invalidStream,
  resetStatus.streamAlreadyClosed,
]);

const statusNames = new Map<number, string>(Object.entries(resetStatus).map(([name, status]) => [status, name]));

/**
 * One stream of a SPDY/3.1 connection. `end()` closes its own direction only; the other one ends with the peer's FIN or RST.
 *
 * The peer's RST is the usual end of a stream of CRI. It loses nothing: what arrived before is still read, then the stream ends and
 * closes without an error. What is written meanwhile goes nowhere, as with a TCP peer that is gone; once everything is read,
 * writing fails with `EPIPE`.
 *
 * An error that nobody listens for stays here and does not end the process.
 */
export class SpdyStream extends Duplex {
  readonly streamId: number;
  /** The headers that opened the stream. */
  readonly headers: SpdyHeaders;
  /** How much has been written to the stream, whatever became of it. */
  bytesWritten = 0;
  /** How many bytes arrived after the peer's FIN, and were dropped. */
  droppedBytes = 0;
  /** Resolves when the peer has accepted the stream; rejects when it refuses it, or when the stream ends before. */
  readonly accepted: Promise<void>;
  readonly #accept: () => void;
  readonly #refuse: (error: unknown) => void;
  #isAccepted = false;
  readonly #owner: StreamOwner;
  readonly #writableSide: boolean;
  readonly #readableSide: boolean;
  readonly #detachable: boolean;
  readonly #onBytes: ((bytes: Buffer) => void) | undefined;
  #beforeEnd: (() => Promise<Error | undefined>) | undefined;
  /** The peer has ended its part, and {@link beforeEnd} is at it. */
  #endIsPending = false;
  /** Nothing more is sent on the stream. */
  #localClosed = false;
  /** Nothing more arrives on the stream. */
  #remoteClosed = false;
  /** Either side has broken the stream off. */
  #reset = false;

  constructor(owner: StreamOwner, streamId: number, headers: SpdyHeaders, options: SpdyStreamOptions = {}) {
    const { readable = true, writable = true, detachable = false } = options;
    // Known to Node.js, if not to its types.
    const sides = { readable, writable };
    super({ ...sides, readableHighWaterMark: readBuffer, writableHighWaterMark: writeBuffer });
    this.#owner = owner;
    this.streamId = streamId;
    this.headers = headers;
    this.#readableSide = readable;
    this.#writableSide = writable;
    this.#detachable = detachable;
    this.#onBytes = options.onBytes;
    const { promise, resolve, reject } = withResolvers<void>();
    this.accepted = promise;
    this.#accept = resolve;
    this.#refuse = reject;
    promise.catch(ignore);
    this.on("error", ignore);
    // Whoever has read a stream to the end that was reset cannot write to it either.
    this.on("end", () => {
      if (this.#reset && this.#writableSide && !this.writableEnded) this.end();
    });
  }

  /** Whether the peer has accepted the stream. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Whether all of it has arrived: it is only read, and the peer has ended it. */
  get isWhole(): boolean {
    return this.#remoteClosed && this.#readableSide && !this.#writableSide;
  }

  /** Sends FIN on a stream whose writable side is not offered. */
  closeWriting(): void {
    if (this.#localClosed || this.#reset) return;
    this.#localClosed = true;
    this.#owner.sendFin(this.streamId);
    this.#forgetIfOver();
  }

  /** Has the last word when the peer ends its part: with an error from here, the stream breaks instead. It must not reject. */
  beforeEnd(check: () => Promise<Error | undefined>): void {
    this.#beforeEnd = check;
  }

  /** @internal The peer has accepted the stream. */
  receiveReply(fin: boolean): void {
    if (this.#isAccepted) throw protocolError("two replies to one stream");
    this.#isAccepted = true;
    this.#accept();
    if (fin) this.#endReading();
    this.#forgetIfOver();
  }

  /** @internal A part of a data frame, or an empty one. */
  receiveData(bytes: Buffer, fin: boolean): void {
    if (!this.#isAccepted) throw protocolError("data before the reply to its stream");
    // CRI-O may end the output of a terminal before it has sent all of it. Go's client drops the rest too. Nothing is kept, so
    // there is no limit to enforce.
    if (this.#remoteClosed) this.dropLate(bytes);
    else if (bytes.length > 0) {
      this.#onBytes?.(bytes);
      if (this.#readableSide && !this.#push(bytes)) this.#owner.hold(this);
    }
    if (!fin) return;
    this.#endReading();
    this.#forgetIfOver();
  }

  /** @internal Whether the peer has sent its FIN. */
  get isEnded(): boolean {
    return this.#remoteClosed;
  }

  /** @internal Counts what arrived after the peer's FIN. */
  dropLate(bytes: Buffer): void {
    this.droppedBytes += bytes.length;
  }

  /** @internal The peer has broken the stream off, or taken it to its usual end. */
  receiveReset(status: number): void {
    const reason = statusNames.get(status) ?? `status ${status}`;
    if (!this.#isAccepted) this.fail(unavailable(`the streaming server refused a stream (${reason})`));
    else if (harmlessResets.has(status)) this.finish();
    else this.fail(unavailable(`the streaming server broke a stream off (${reason})`));
  }

  /** @internal The stream is over as it should be. What has arrived can still be read. */
  finish(): void {
    this.#reset = true;
    this.#owner.forget(this);
    this.#refuse(unavailable("the stream ended before the streaming server accepted it"));
    this.#endReading();
    if (this.#writableSide && !this.#readableSide) this.destroy(this.writableFinished ? undefined : brokenPipe());
  }

  /** @internal The stream is broken. What has arrived and was not read is lost. */
  fail(error: Error): void {
    this.#reset = true;
    this.#owner.forget(this);
    this.#refuse(error);
    this.destroy(error);
  }

  override _read(): void {
    this.#owner.release(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: StreamCallback): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: StreamCallback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: StreamCallback): void {
    if (this.#reset || this.#localClosed) {
      callback();
      return;
    }
    this.#localClosed = true;
    this.#owner.sendFin(this.streamId, (error) => callback(this.#reset ? null : error));
    this.#forgetIfOver();
  }

  override _destroy(error: Error | null, callback: StreamCallback): void {
    this.#owner.release(this);
    this.#refuse(error ?? unavailable("the stream was destroyed before the streaming server accepted it"));
    const isOver = this.#reset || (this.#localClosed && this.#remoteClosed);
    // A stream with one side closes by itself when that one is done: the peer has yet to read what was written, or to end its part.
    const isDone =
      error === null && ((this.#localClosed && !this.#readableSide) || (this.#remoteClosed && !this.#writableSide));
    if (!isOver && !isDone && !this.#detachable) this.#abandon();
    callback(error);
  }

  #send(chunks: readonly Buffer[], callback: StreamCallback): void {
    for (const { length } of chunks) this.bytesWritten += length;
    const settle: StreamCallback = (error) => {
      // An error here would destroy what is left to read.
      if (this.#reset) callback(this.readableLength > 0 || this.#endIsPending ? null : brokenPipe());
      else callback(error);
    };
    if (this.#reset) settle();
    else this.#owner.sendData(this.streamId, chunks, settle);
  }

  #endReading(): void {
    if (this.#remoteClosed) return;
    this.#remoteClosed = true;
    if (!this.#readableSide) return;
    if (this.#beforeEnd) void this.#endLater(this.#beforeEnd);
    else this.#push(null);
  }

  async #endLater(check: () => Promise<Error | undefined>): Promise<void> {
    this.#endIsPending = true;
    const failure = await check();
    this.#endIsPending = false;
    if (failure) this.destroy(failure);
    else this.#push(null);
  }

  #push(bytes: Buffer | null): boolean {
    return this.destroyed || this.push(bytes);
  }

  #abandon(): void {
    this.#reset = true;
    this.#owner.sendReset(this.streamId, resetStatus.cancel);
    this.#owner.forget(this);
  }

  #forgetIfOver(): void {
    if (this.#localClosed && this.#remoteClosed) this.#owner.forget(this);
  }
}

function unavailable(message: string): CriError {
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1 });
}

/** What node's own pipes and sockets say when nobody reads any more. */
function brokenPipe(): Error {
  return Object.assign(new Error("write EPIPE: the other side of the stream is gone"), { code: "EPIPE" });
}

function ignore(): void {}
