import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { defaultPingIntervalMs, Heartbeat, pingTimedOut } from "../heartbeat.js";
import type { SessionOrigin } from "../transport.js";
import { SpdyEndpoint } from "./endpoint.js";
import { protocolError } from "./errors.js";
import { type ControlFrame, idMask } from "./frames.js";
import { SpdyStream, type SpdyStreamOptions } from "./stream.js";

export interface SpdyConnectionOptions {
  /** The bytes that the socket received after the response to the upgrade. */
  head?: Buffer | undefined;
  /**
   * Milliseconds between pings, and the time limit for an answer; 0 sends no pings. Pings also keep the connection open: servers
   * close it after four hours without traffic. @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
  /** Whether the session is an exec or attach. @defaultValue false */
  hasCommand?: boolean | undefined;
  /** The RPC and endpoint that the errors of the session name. */
  origin?: SessionOrigin | undefined;
}

/** The client's end of a SPDY/3.1 connection to a CRI streaming server. Only the client opens streams. */
export class SpdyConnection extends SpdyEndpoint {
  readonly #heartbeat: Heartbeat;
  #nextStreamId = 1;
  #nextPing = 1;
  #hasGoAway = false;

  /** @param socket owned by the connection from here on */
  constructor(socket: Duplex, options: SpdyConnectionOptions = {}) {
    super(socket, options.head, options.origin);
    const intervalMs = options.pingIntervalMs ?? defaultPingIntervalMs;
    this.#heartbeat = new Heartbeat({
      intervalMs,
      ping: () => this.ping(),
      sentBytes: () => this.sentBytes,
      isReadPaused: () => this.isReadPaused,
      onTimeout: () => this.fail(pingTimedOut(intervalMs, options.hasCommand ?? false)),
    });
  }

  /**
   * Opens a stream. You can write to it at once, but wait for {@link SpdyStream.accepted} to learn whether the server accepted it.
   *
   * @throws CriError after the connection has ended or the server has sent GOAWAY
   */
  open(headers: Readonly<Record<string, string>>, options?: SpdyStreamOptions): SpdyStream {
    if (this.isOver) throw this.failure;
    const streamId = this.#nextStreamId;
    if (this.#hasGoAway || streamId > idMask) throw this.locate(noMoreStreams());
    this.#nextStreamId += 2;
    const names = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]));
    const stream = new SpdyStream(this, streamId, names, options);
    this.streams.set(streamId, stream);
    this.pendingReplies++;
    const headerBlock = this.compressHeaders(headers);
    const flags = { fin: false, unidirectional: false };
    this.send({ type: "synStream", streamId, associatedStreamId: 0, priority: 0, slot: 0, ...flags, headerBlock });
    return stream;
  }

  /** Sends a ping, which also resets the server's idle timer. */
  ping(): void {
    const id = this.#nextPing;
    this.#nextPing = id + 2 > idMask ? 1 : id + 2;
    this.send({ type: "ping", id });
  }

  protected override wasOpened(streamId: number): boolean {
    return streamId % 2 === 1 && streamId < this.#nextStreamId;
  }

  protected override isOwnPing(id: number): boolean {
    return id % 2 === 1;
  }

  protected override onSynStream(frame: ControlFrame & { type: "synStream" }): void {
    throw protocolError(`stream ${frame.streamId} opened by the server`);
  }

  /** Fails the streams that the server has not accepted. The server ends the accepted ones. */
  protected override onGoAway(lastGoodStreamId: number): void {
    this.#hasGoAway = true;
    for (const stream of [...this.streams.values()]) {
      if (!stream.isAccepted && stream.streamId > lastGoodStreamId) stream.fail(this.locate(noMoreStreams()));
    }
  }

  /** Also stops pings: writing to a server that has closed would break the connection before its last data is read. */
  override expectEnd(): void {
    super.expectEnd();
    this.#heartbeat.stop();
  }

  protected override onReceived(): void {
    this.#heartbeat.onReceived();
  }

  protected override onPong(): void {
    this.#heartbeat.onPong();
  }

  protected override onOver(): void {
    this.#heartbeat.stop();
  }
}

function noMoreStreams(): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message: "the streaming server accepts no more streams on this connection",
    attempts: 1,
  });
}
