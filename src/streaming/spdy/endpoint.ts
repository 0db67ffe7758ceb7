import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { FrameDecoder, type FrameHandler } from "./frame-decoder.js";
import { type ControlFrame, encodeDataHead, encodeFrame } from "./frames.js";
import { HeaderCompressor, HeaderDecompressor } from "./header-compression.js";
import { decodeHeaders, encodeHeaders, maxHeaderBytes, type SpdyHeaders } from "./headers.js";
import { protocolError } from "./protocol-error.js";
import type { SpdyStream, StreamCallback, StreamOwner } from "./stream.js";
import { withResolvers } from "./with-resolvers.js";

/** Longest payload of a data frame that is sent: servers hold a frame in memory before they pass it on. */
const maxDataLength = 65_536;
/** What one stream hands to the socket before the other streams get their turn. */
const maxTurn = 4 * maxDataLength;
/** For how many streams that are over the data behind their end is counted: an exec has at most four. */
const mostLate = 8;
/** Answers to pings that may wait for a peer who does not read them. */
const maxPendingPings = 64;
/** HEADERS frames that a peer may send on a connection. Neither the servers of CRI nor their clients send any. */
const maxHeadersFrames = 8;
/** Frames that are taken in before the event loop gets to do other work. A chunk of the socket can hold eight thousand. */
const maxFramesPerTurn = 128;

/**
 * What both ends of a SPDY/3.1 connection have in common: frames in and out, and the streams between them.
 *
 * Reading: there is no flow control per stream (the servers of CRI ignore it), so that a stream whose reader lags behind stops the
 * whole connection once its buffer is full, and the connection goes on when no stream is full any more. What is buffered is at
 * most the streams' buffers and one chunk of the socket. A peer that floods the connection with frames does not keep the event loop
 * from other work: they are taken in a few at a time. Writing: a stream's bytes count as written when the socket has passed them
 * on, and long writes take turns.
 */
export abstract class SpdyEndpoint implements StreamOwner, FrameHandler {
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<void>;
  readonly #markClosed: () => void;
  protected readonly streams = new Map<number, SpdyStream>();
  readonly #socket: Duplex;
  readonly #decoder = new FrameDecoder(this);
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor(maxHeaderBytes);
  /** The last streams that were over, for counting what arrives behind their end. */
  readonly #late = new Map<number, SpdyStream>();
  readonly #full = new Set<SpdyStream>();
  /** How many bytes of streams were handed to the socket. */
  protected sentBytes = 0;
  /** How many streams that were opened from here have not been replied to. */
  protected owedReplies = 0;
  #headersFrames = 0;
  #pendingPings = 0;
  /** Whether the rest of a chunk waits for the next turn of the event loop. */
  #isYielding = false;
  #isOver = false;
  #failure: unknown;
  #wasDestroyed = false;
  #endIsExpected = false;
  #meaningOfLoss: string | undefined;

  /**
   * @param socket belongs to the connection from here on
   * @param head what the socket has received already
   */
  constructor(socket: Duplex, head?: Buffer) {
    this.#socket = socket;
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

  /** What ended the connection: the reason given to {@link destroy}, or a CriError. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Whether {@link destroy} ended the connection. */
  get wasDestroyed(): boolean {
    return this.#wasDestroyed;
  }

  /** Whether reading waits for the reader of some stream. */
  get isHeld(): boolean {
    return this.#full.size > 0;
  }

  /** From here on the peer may close the connection at any time, which ends the streams instead of breaking them. */
  expectEnd(): void {
    this.#endIsExpected = true;
  }

  /** What it means to the user when the connection is lost; how it came to it becomes the cause of the error. */
  explainLoss(message: string): void {
    this.#meaningOfLoss = message;
  }

  /** Ends the connection; streams end too if {@link expectEnd} was called, and break otherwise. */
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
    for (const { length } of chunks) this.sentBytes += length;
    this.#sendTurn(streamId, chunks, 0, 0, callback);
  }

  sendFin(streamId: number, callback?: StreamCallback): void {
    this.#write(encodeDataHead(streamId, 0, true), callback);
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
      this.#late.set(stream.streamId, stream);
      const [oldest] = this.#late.keys();
      if (this.#late.size > mostLate && oldest !== undefined) this.#late.delete(oldest);
    }
    this.onForgotten();
  }

  /** @internal */
  onFrame(frame: ControlFrame): void {
    switch (frame.type) {
      case "synStream":
        this.onSynStream(frame);
        break;
      case "synReply":
        if (--this.owedReplies < 0) throw protocolError("more replies than streams");
        this.#skipHeaders(frame.headerBlock);
        this.streamOf(frame.streamId)?.receiveReply(frame.fin);
        break;
      case "headers":
        if (++this.#headersFrames > maxHeadersFrames)
          throw protocolError(`more than ${maxHeadersFrames} HEADERS frames`);
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
    else this.#late.get(streamId)?.dropLate(bytes);
  }

  protected send(frame: ControlFrame, callback?: StreamCallback): void {
    this.#write(encodeFrame(frame), callback);
  }

  /** Ends the connection, which breaks for this reason. */
  protected fail(error: CriError): void {
    this.#finish(error);
  }

  /** Lets the peer have the rest, and waits for it to hang up. */
  protected endSocket(): void {
    this.#socket.end();
  }

  protected compressHeaders(headers: Readonly<Record<string, string>>): Buffer {
    return this.#compressor.compress(encodeHeaders(headers));
  }

  protected readHeaders(block: Buffer): SpdyHeaders {
    return decodeHeaders(this.#decompressor.decompress(block));
  }

  /** The stream, or nothing if it is over: what was under way for it is dropped. @throws for one that never was */
  protected streamOf(streamId: number): SpdyStream | undefined {
    const stream = this.streams.get(streamId);
    if (!stream && !this.wasOpened(streamId))
      throw protocolError(`a frame for stream ${streamId}, which was never opened`);
    return stream;
  }

  protected abstract wasOpened(streamId: number): boolean;
  /** Whether a ping with this number was sent from here. */
  protected abstract isOwnPing(id: number): boolean;
  protected abstract onSynStream(frame: ControlFrame & { type: "synStream" }): void;
  protected abstract onGoAway(lastGoodStreamId: number): void;
  /** Something arrived. */
  protected onHeard(): void {}
  /** The answer to an own ping arrived. */
  protected onPong(): void {}
  /** A stream is over. */
  protected onForgotten(): void {}
  /** The connection has ended; streams are told afterwards. */
  protected onOver(): void {}

  #receive(chunk: Buffer): void {
    this.onHeard();
    try {
      // A socket that is destroyed delivers nothing later.
      const taken = this.#decoder.write(chunk, this.#socket.destroyed ? undefined : maxFramesPerTurn);
      if (taken < chunk.length && !this.#isOver) this.#yield(chunk.subarray(taken));
    } catch (error) {
      this.#finish(error);
    }
  }

  /** Leaves the rest of a chunk in the socket until the event loop has done other work. */
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

  /** Nobody reads them, but the next block builds upon each, even upon one for a stream that is over. */
  #skipHeaders(block: Buffer): void {
    this.#decompressor.decompress(block);
  }

  #receivePing(id: number): void {
    if (this.isOwnPing(id)) {
      this.onPong();
      return;
    }
    if (++this.#pendingPings > maxPendingPings) throw protocolError("pings without reading the answers");
    this.send({ type: "ping", id }, () => {
      this.#pendingPings--;
    });
  }

  #sendTurn(
    streamId: number,
    chunks: readonly Buffer[],
    startIndex: number,
    startOffset: number,
    callback: StreamCallback,
  ): void {
    let [index, offset, turn] = [startIndex, startOffset, 0];
    const socket = this.#socket;
    const parts: Buffer[] = [];
    while (turn < maxTurn && index < chunks.length) {
      // As many chunks as fit share a frame.
      const payload: Buffer[] = [];
      let length = 0;
      while (length < maxDataLength && index < chunks.length) {
        const chunk = chunks[index] as Buffer;
        const part = chunk.subarray(offset, offset + maxDataLength - length);
        length += part.length;
        offset += part.length;
        if (part.length > 0) payload.push(part);
        if (offset < chunk.length) break;
        index++;
        offset = 0;
      }
      if (length > 0) parts.push(encodeDataHead(streamId, length, false), ...payload);
      turn += length;
    }
    const last = parts.pop();
    if (!last) {
      callback();
      return;
    }
    socket.cork();
    for (const part of parts) this.#write(part);
    this.#write(last, (error) => {
      if (error || index === chunks.length) callback(error);
      else this.#sendTurn(streamId, chunks, index, offset, callback);
    });
    socket.uncork();
  }

  #write(bytes: Buffer, callback?: StreamCallback): void {
    // A socket may still be read when it cannot be written to any more.
    if (this.#isOver || !this.#socket.writable) callback?.(lost("the connection to the streaming server is closed"));
    else this.#socket.write(bytes, callback);
  }

  #lose(how: string, cause?: unknown): void {
    const error = lost(how, cause);
    this.#finish(this.#meaningOfLoss === undefined ? error : lost(this.#meaningOfLoss, error));
  }

  #finish(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#decoder.stop();
    this.onOver();
    const error = asError(failure);
    for (const stream of [...this.streams.values()]) {
      // What has arrived in full can be read in full, unless nobody wants to see any more.
      if (this.#endIsExpected || (stream.isWhole && !this.#wasDestroyed)) stream.finish();
      else stream.fail(error);
    }
    this.#socket.destroy();
    this.#markClosed();
  }
}

function lost(message: string, cause?: unknown): CriError {
  return new CriError({ code: "UNAVAILABLE", message, attempts: 1, mayHaveTakenEffect: true, cause });
}

/** Streams break with errors only, and a signal may have aborted for anything. */
function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  return new CriError({ code: "CANCELLED", message: "the session was cancelled", cause: reason });
}
