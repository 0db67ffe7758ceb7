import { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { protocolError } from "./errors.js";
import { resetStatus } from "./frames.js";
import type { SpdyHeaders } from "./headers.js";
import { withResolvers } from "./with-resolvers.js";

/** The connection of a stream. */
export interface StreamOwner {
  /** Calls back when the socket has passed the bytes on. Does not call back if the connection ends first. */
  sendData(streamId: number, chunks: readonly Buffer[], callback: StreamCallback): void;
  sendFin(streamId: number, callback?: StreamCallback): void;
  sendReset(streamId: number, status: number): void;
  /** Pauses the connection's reading, because the stream's buffer is full. */
  hold(stream: SpdyStream): void;
  /** Ends {@link hold}. Reading resumes when no stream is full. */
  release(stream: SpdyStream): void;
  /** Removes a stream that has ended. */
  forget(stream: SpdyStream): void;
  /** Adds the RPC and the endpoint of the session to an error. */
  locate(error: CriError): CriError;
}

export type StreamCallback = (error?: Error | null) => void;

/** Which sides of a stream its user can use. */
export interface SpdyStreamOptions {
  /** If false, arriving data is dropped. @defaultValue true */
  readable?: boolean;
  /** If false, the side stays open until {@link SpdyStream.closeWriting} or the end of the stream. @defaultValue true */
  writable?: boolean;
  /** If true, destroying the stream drops further data and sends no RST to the peer. @defaultValue false */
  detachable?: boolean;
  /** Receives arriving data before the reader does. */
  onBytes?: (bytes: Buffer) => void;
}

/** High-water mark for reading. When a stream's buffer is full, the whole connection stops reading. */
const readBuffer = 131_072;
/** High-water mark for writing, so that several writes of 64 KiB leave together. */
const writeBuffer = 262_144;

/** RST statuses that do not mean an error: the usual end, and answers to frames that were sent too late. */
const harmlessResets: ReadonlySet<number> = new Set([
  resetStatus.cancel,
  resetStatus.invalidStream,
  resetStatus.streamAlreadyClosed,
]);

const statusNames = new Map<number, string>(Object.entries(resetStatus).map(([name, status]) => [status, name]));

/**
 * One stream of a SPDY/3.1 connection. `end()` closes this end's direction only; the peer's FIN or RST ends the other one.
 *
 * CRI servers usually end a stream with RST. No data is lost: data that arrived before is still read, then the stream ends and
 * closes without an error. Data written meanwhile is discarded, as with a TCP peer that has closed. After everything is read,
 * writing fails with `EPIPE`.
 *
 * An error without a listener does not end the process.
 */
export class SpdyStream extends Duplex {
  readonly streamId: number;
  /** The headers that opened the stream. */
  readonly headers: SpdyHeaders;
  /** How many bytes have been written to the stream, sent or not. */
  bytesWritten = 0;
  /** How many bytes arrived after the peer's FIN and were dropped. */
  droppedBytes = 0;
  /** Resolves when the peer has accepted the stream. Rejects if the peer refuses it or the stream ends first. */
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
  /** Whether the peer has ended its direction and the check of {@link beforeEnd} is running. */
  #endIsPending = false;
  /** Whether this end has closed its direction. */
  #localClosed = false;
  /** Whether the peer has closed its direction. */
  #remoteClosed = false;
  /** Whether either end has reset the stream. */
  #reset = false;

  constructor(owner: StreamOwner, streamId: number, headers: SpdyHeaders, options: SpdyStreamOptions = {}) {
    const { readable = true, writable = true, detachable = false } = options;
    // Node.js supports these options, but its types omit them.
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
    // After a reset, reading to the end also ends writing.
    this.on("end", () => {
      if (this.#reset && this.#writableSide && !this.writableEnded) this.end();
    });
  }

  /** Whether the peer has accepted the stream. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Whether the stream is read-only and all its data has arrived. */
  get isWhole(): boolean {
    return this.#remoteClosed && this.#readableSide && !this.#writableSide;
  }

  /** Sends FIN on a stream that is not writable for its user. */
  closeWriting(): void {
    if (this.#localClosed || this.#reset) return;
    this.#localClosed = true;
    this.#owner.sendFin(this.streamId);
    this.#forgetIfOver();
  }

  /** Runs a check when the peer ends its direction. If it resolves with an error, the stream breaks. It must not reject. */
  beforeEnd(check: () => Promise<Error | undefined>): void {
    this.#beforeEnd = check;
  }

  /** @internal Handles SYN_REPLY: the peer has accepted the stream. */
  receiveReply(fin: boolean): void {
    if (this.#isAccepted) throw protocolError("two replies to one stream");
    this.#isAccepted = true;
    this.#accept();
    if (fin) this.#endReading();
    this.#forgetIfOver();
  }

  /** @internal Handles a part of a data frame, which may be empty. */
  receiveData(bytes: Buffer, fin: boolean): void {
    if (!this.#isAccepted) throw protocolError("data before the reply to its stream");
    // CRI-O may end a terminal's output before it has sent all of it. The rest is dropped, as Go's client does.
    if (this.#remoteClosed) this.dropAfterEnd(bytes);
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

  /** @internal Counts data that arrived after the peer's FIN. */
  dropAfterEnd(bytes: Buffer): void {
    this.droppedBytes += bytes.length;
  }

  /** @internal Handles RST: the usual end, a refusal or an error. */
  receiveReset(status: number): void {
    const reason = statusNames.get(status) ?? `status ${status}`;
    if (!this.#isAccepted) this.fail(this.#unavailable(`the streaming server refused a stream (${reason})`));
    else if (harmlessResets.has(status)) this.finish();
    else this.fail(this.#unavailable(`the streaming server reset a stream (${reason})`));
  }

  /** @internal Ends the stream without an error. Data that has arrived can still be read. */
  finish(): void {
    this.#reset = true;
    this.#owner.forget(this);
    this.#refuse(this.#unavailable("the stream ended before the streaming server accepted it"));
    this.#endReading();
    if (this.#writableSide && !this.#readableSide) this.destroy(this.writableFinished ? undefined : brokenPipe());
  }

  /** @internal Breaks the stream. Data that has arrived and was not read is lost. */
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
    this.#refuse(error ?? this.#unavailable("the stream was destroyed before the streaming server accepted it"));
    const isOver = this.#reset || (this.#localClosed && this.#remoteClosed);
    // Node.js destroys a one-sided stream when its side is done. No RST then: the peer may still read, or end its direction.
    const isDone =
      error === null && ((this.#localClosed && !this.#readableSide) || (this.#remoteClosed && !this.#writableSide));
    if (!isOver && !isDone && !this.#detachable) this.#sendReset();
    callback(error);
  }

  #unavailable(message: string): CriError {
    return this.#owner.locate(new CriError({ code: "UNAVAILABLE", message, attempts: 1 }));
  }

  #send(chunks: readonly Buffer[], callback: StreamCallback): void {
    for (const { length } of chunks) this.bytesWritten += length;
    const settle: StreamCallback = (error) => {
      // An error would destroy the stream and the data that is left to read.
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

  #sendReset(): void {
    this.#reset = true;
    this.#owner.sendReset(this.streamId, resetStatus.cancel);
    this.#owner.forget(this);
  }

  #forgetIfOver(): void {
    if (this.#localClosed && this.#remoteClosed) this.#owner.forget(this);
  }
}

/** The error that Node.js uses for writing to a closed pipe or socket. */
function brokenPipe(): Error {
  return Object.assign(new Error("write EPIPE: the peer has closed the stream"), { code: "EPIPE" });
}

function ignore(): void {}
