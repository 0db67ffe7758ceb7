import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import type { SessionOrigin } from "../transport.js";
import { connectionLost, protocolError } from "./errors.js";
import { FrameDecoder, type FrameHandler } from "./frame-decoder.js";
import { FrameWriter } from "./frame-writer.js";
import { type ControlFrame, encodeDataHead, encodeFrame } from "./frames.js";
import { HeaderCompressor, HeaderDecompressor } from "./header-compression.js";
import { decodeHeaders, encodeHeaders, maxHeaderBytes, type SpdyHeaders } from "./headers.js";
import type { SpdyStream, StreamCallback, StreamOwner } from "./stream.js";
import { withResolvers } from "./with-resolvers.js";

/** How many ended streams are kept, to count data that arrives after their end. An exec has at most four. */
const maxEndedStreams = 8;
/** How many answers to pings may wait for a peer that does not read them. */
const maxPendingPings = 64;
/** How many HEADERS frames a peer may send on a connection. CRI servers and their clients send none. */
const maxHeadersFrames = 8;
/** How many frames are handled before the event loop can do other work. One chunk of the socket can hold 8,000. */
const maxFramesPerTurn = 128;

/**
 * The part that both ends of a SPDY/3.1 connection share: reading and writing frames, and the streams.
 *
 * CRI servers ignore flow control per stream. So when the buffer of one stream is full, the whole connection stops reading until no
 * stream is full. At most the streams' buffers and one chunk of the socket are in memory. Frames are handled a few at a time, so
 * that a flood of them does not block the event loop.
 */
export abstract class SpdyEndpoint implements StreamOwner, FrameHandler {
  /** Resolves when the connection has closed, cleanly or not. */
  readonly closed: Promise<void>;
  readonly #markClosed: () => void;
  protected readonly streams = new Map<number, SpdyStream>();
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder(this);
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor(maxHeaderBytes);
  readonly #writer: FrameWriter;
  /** The last streams that ended, to count data that arrives after their end. */
  readonly #endedStreams = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  /** How many streams opened by this end the peer has not replied to. */
  protected pendingReplies = 0;
  #headersFrames = 0;
  #pendingPings = 0;
  /** Whether the rest of a chunk waits for the next turn of the event loop. */
  #isYielding = false;
  #isOver = false;
  #failure: unknown;
  #wasDestroyed = false;
  #endIsExpected = false;
  #lossMessage: string | undefined;
  readonly #origin: SessionOrigin | undefined;

  /**
   * @param socket owned by the connection from here on
   * @param head the bytes that the socket has already received
   */
  constructor(socket: Duplex, head?: Buffer, origin?: SessionOrigin) {
    this.#socket = socket;
    this.#origin = origin;
    this.#writer = new FrameWriter(socket, () =>
      this.locate(connectionLost("the connection to the streaming server is closed")),
    );
    const { promise, resolve } = withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
    if (head && head.length > 0) socket.unshift(head);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.#lose("the streaming server closed the connection"));
    socket.on("error", (cause) => this.#lose("the connection to the streaming server broke", cause));
    socket.on("close", () => this.#lose("the connection to the streaming server was closed"));
  }

  /** Whether the connection has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Why the connection ended: the reason given to {@link destroy}, or a CriError. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether {@link destroy} ended the connection. */
  get wasDestroyed(): boolean {
    return this.#wasDestroyed;
  }

  /** Whether reading is paused because the buffer of a stream is full. */
  get isReadPaused(): boolean {
    return this.#full.size > 0;
  }

  /** Makes the streams end without an error when the peer closes the connection. */
  expectEnd(): void {
    this.#endIsExpected = true;
  }

  /** Adds the RPC and the endpoint of the session to an error. */
  locate(error: CriError): CriError {
    return error.during(this.#origin);
  }

  /** Sets the message of the error for a lost connection. The error that describes the loss becomes its cause. */
  setLossMessage(message: string): void {
    this.#lossMessage = message;
  }

  /** Closes the connection. Streams end if {@link expectEnd} was called; otherwise they break. */
  close(): void {
    this.#lose("the connection was closed");
  }

  /** Ends the connection at once and breaks every stream. */
  destroy(reason: unknown): void {
    if (this.#isOver) return;
    this.#wasDestroyed = true;
    this.#endIsExpected = false;
    this.#finish(reason);
  }

  sendData(streamId: number, chunks: readonly Buffer[], callback: StreamCallback): void {
    this.#writer.writeData(streamId, chunks, callback);
  }

  sendFin(streamId: number, callback?: StreamCallback): void {
    this.#writer.write(encodeDataHead(streamId, 0, true), callback);
  }

  sendReset(streamId: number, status: number): void {
    this.send({ type: "rstStream", streamId, status });
  }

  hold(stream: SpdyStream): void {
    this.#full.add(stream);
    this.#socket.pause();
  }

  release(stream: SpdyStream): void {
    if (this.#full.delete(stream)) this.#resume();
  }

  forget(stream: SpdyStream): void {
    if (!this.streams.delete(stream.streamId)) return;
    if (stream.isEnded) {
      this.#endedStreams.set(stream.streamId, stream);
      const [oldest] = this.#endedStreams.keys();
      if (this.#endedStreams.size > maxEndedStreams && oldest !== undefined) this.#endedStreams.delete(oldest);
    }
  }

  /** @internal */
  onFrame(frame: ControlFrame): void {
    switch (frame.type) {
      case "synStream":
        this.onSynStream(frame);
        break;
      case "synReply":
        if (--this.pendingReplies < 0) throw protocolError("more replies than streams");
        this.#skipHeaders(frame.headerBlock);
        this.streamOf(frame.streamId)?.receiveReply(frame.fin);
        break;
      case "headers":
        if (++this.#headersFrames > maxHeadersFrames) {
          throw protocolError(`more than ${maxHeadersFrames} HEADERS frames`);
        }
        this.#skipHeaders(frame.headerBlock);
        if (frame.fin) this.streamOf(frame.streamId)?.receiveData(Buffer.alloc(0), true);
        break;
      case "rstStream":
        this.streamOf(frame.streamId)?.receiveReset(frame.status);
        break;
      case "goAway":
        this.onGoAway(frame.lastGoodStreamId);
        break;
      case "ping":
        this.#receivePing(frame.id);
        break;
    }
  }

  /** @internal */
  onData(streamId: number, bytes: Buffer, fin: boolean): void {
    const stream = this.streamOf(streamId);
    if (stream) stream.receiveData(bytes, fin);
    else this.#endedStreams.get(streamId)?.dropAfterEnd(bytes);
  }

  protected get sentBytes(): number {
    return this.#writer.sentBytes;
  }

  protected send(frame: ControlFrame, callback?: StreamCallback): void {
    this.#writer.write(encodeFrame(frame), callback);
  }

  /** Ends the connection with an error, which breaks the streams. */
  protected fail(error: CriError): void {
    this.#finish(this.locate(error));
  }

  /** Flushes pending writes, then half-closes the socket. The peer closes the connection. */
  protected endSocket(): void {
    this.#socket.end();
  }

  protected compressHeaders(headers: Readonly<Record<string, string>>): Buffer {
    return this.#compressor.compress(encodeHeaders(headers));
  }

  protected readHeaders(block: Buffer): SpdyHeaders {
    return decodeHeaders(this.#decompressor.decompress(block));
  }

  /** Returns a stream, or undefined if it has ended: its late frames are dropped. @throws CriError if it was never opened */
  protected streamOf(streamId: number): SpdyStream | undefined {
    const stream = this.streams.get(streamId);
    if (!stream && !this.wasOpened(streamId)) {
      throw protocolError(`a frame for stream ${streamId}, which was never opened`);
    }
    return stream;
  }

  protected abstract wasOpened(streamId: number): boolean;
  /** Returns whether this end sent the ping with this number. */
  protected abstract isOwnPing(id: number): boolean;
  protected abstract onSynStream(frame: ControlFrame & { type: "synStream" }): void;
  protected abstract onGoAway(lastGoodStreamId: number): void;
  /** Called when data arrived. */
  protected onReceived(): void {}
  /** Called when the answer to a ping of this end arrived. */
  protected onPong(): void {}
  /** Called when the connection has ended, before its streams end. */
  protected onOver(): void {}

  #receive(chunk: Buffer): void {
    this.onReceived();
    try {
      // A destroyed socket delivers nothing later, so handle all its frames now.
      const taken = this.#decoder.write(chunk, this.#socket.destroyed ? undefined : maxFramesPerTurn);
      if (taken < chunk.length && !this.#isOver) this.#yield(chunk.subarray(taken));
    } catch (error) {
      this.#finish(CriError.is(error) ? this.locate(error) : error);
    }
  }

  /** Puts the rest of a chunk back into the socket until the event loop has done other work. */
  #yield(rest: Buffer): void {
    this.#isYielding = true;
    this.#socket.pause();
    this.#socket.unshift(rest);
    setImmediate(() => {
      this.#isYielding = false;
      this.#resume();
    });
  }

  #resume(): void {
    if (this.#full.size === 0 && !this.#isYielding && !this.#isOver) this.#socket.resume();
  }

  /** Decompresses headers that are not used, because the compression of later blocks depends on each of them. */
  #skipHeaders(block: Buffer): void {
    this.#decompressor.decompress(block);
  }

  #receivePing(id: number): void {
    if (this.isOwnPing(id)) {
      this.onPong();
      return;
    }
    if (++this.#pendingPings > maxPendingPings) throw protocolError("pings whose answers it does not read");
    this.send({ type: "ping", id }, () => {
      this.#pendingPings--;
    });
  }

  #lose(message: string, cause?: unknown): void {
    const error = connectionLost(message, cause);
    this.#finish(this.locate(this.#lossMessage === undefined ? error : connectionLost(this.#lossMessage, error)));
  }

  #finish(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#decoder.stop();
    this.#writer.stop();
    this.onOver();
    const error = this.#asError(failure);
    for (const stream of [...this.streams.values()]) {
      // A stream that arrived completely can still be read, unless the caller destroyed the connection.
      if (this.#endIsExpected || (stream.isWhole && !this.#wasDestroyed)) stream.finish();
      else stream.fail(error);
    }
    this.#socket.destroy();
    this.#markClosed();
  }

  /** A signal's reason can be any value, but streams can only be destroyed with an Error. */
  #asError(reason: unknown): Error {
    if (reason instanceof Error) return reason;
    return this.locate(new CriError({ code: "CANCELLED", message: "the session was cancelled", cause: reason }));
  }
}
