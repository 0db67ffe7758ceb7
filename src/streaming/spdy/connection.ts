import type { Duplex } from "node:stream";
import { CriError } from "../../errors.js";
import { defaultPingIntervalMs, Heartbeat, silent } from "../heartbeat.js";
import { SpdyEndpoint } from "./endpoint.js";
import { type ControlFrame, idMask } from "./frames.js";
import { protocolError } from "./protocol-error.js";
import { SpdyStream, type SpdyStreamOptions } from "./stream.js";

/** How a {@link SpdyConnection} starts out. */
export interface SpdyConnectionOptions {
  /** What the socket received behind the answer to the upgrade. */
  head?: Buffer | undefined;
  /**
   * Milliseconds between pings, and the time for an answer; 0 for no pings. Servers close a connection on which nothing has moved
   * for four hours, and a ping counts as movement. @defaultValue 30000
   */
  pingIntervalMs?: number | undefined;
  /** Whether the streams are those of an exec or attach. @defaultValue false */
  hasCommand?: boolean | undefined;
}

/** The client's end of a SPDY/3.1 connection to a streaming server of CRI: it opens streams, the server opens none. */
export class SpdyConnection extends SpdyEndpoint {
  readonly #heartbeat: Heartbeat;
  #nextStreamId = 1;
  #nextPing = 1;
  #serverIsLeaving = false;

  /** @param socket belongs to the connection from here on */
  constructor(socket: Duplex, options: SpdyConnectionOptions = {}) {
    super(socket, options.head);
    const intervalMs = options.pingIntervalMs ?? defaultPingIntervalMs;
    this.#heartbeat = new Heartbeat({
      intervalMs,
      ping: () => this.ping(),
      sentBytes: () => this.sentBytes,
      isHeld: () => this.isHeld,
      onSilence: () => this.fail(silent(intervalMs, options.hasCommand ?? false)),
    });
  }

  /**
   * Opens a stream. It can be written to at once, but see to it that it was {@link SpdyStream.accepted}.
   *
   * @throws CriError once the connection has ended, or the server has said that it is about to
   */
  open(headers: Readonly<Record<string, string>>, options?: SpdyStreamOptions): SpdyStream {
    if (this.isOver) throw this.failure;
    const streamId = this.#nextStreamId;
    if (this.#serverIsLeaving || streamId > idMask) throw noMoreStreams();
    this.#nextStreamId += 2;
    const names = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value]]));
    const stream = new SpdyStream(this, streamId, names, options);
    this.streams.set(streamId, stream);
    this.owedReplies++;
    const headerBlock = this.compressHeaders(headers);
    const flags = { fin: false, unidirectional: false };
    this.send({ type: "synStream", streamId, associatedStreamId: 0, priority: 0, slot: 0, ...flags, headerBlock });
    return stream;
  }

  /** Sends a ping, which starts the server's idle time anew. */
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

  /** Streams that the server has accepted go on: it ends them one by one. */
  protected override onGoAway(lastGoodStreamId: number): void {
    this.#serverIsLeaving = true;
    for (const stream of [...this.streams.values()]) {
      if (!stream.isAccepted && stream.streamId > lastGoodStreamId) stream.fail(noMoreStreams());
    }
  }

  /** Pings end too: writing to a server that has closed would break the connection before its last words are read. */
  override expectEnd(): void {
    super.expectEnd();
    this.#heartbeat.stop();
  }

  protected override onHeard(): void {
    this.#heartbeat.heard();
  }

  protected override onPong(): void {
    this.#heartbeat.answered();
  }

  protected override onOver(): void {
    this.#heartbeat.stop();
  }
}

function noMoreStreams(): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message: "the streaming server takes no more streams on this connection",
    attempts: 1,
  });
}
