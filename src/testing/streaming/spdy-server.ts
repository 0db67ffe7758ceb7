import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { SpdyEndpoint } from "../../streaming/spdy/endpoint.js";
import { protocolError } from "../../streaming/spdy/errors.js";
import type { ControlFrame } from "../../streaming/spdy/frames.js";
import { SpdyStream } from "../../streaming/spdy/stream.js";

export interface SpdyServerOptions {
  /** The bytes that the socket received after the request. */
  head?: Buffer | undefined;
  /** Called with each stream that the client opens, after the reply was sent. */
  onStream: (stream: SpdyStream) => void;
}

/** The server's end of a SPDY/3.1 connection, like that of the CRI servers: it accepts streams and opens none. */
export class SpdyServerConnection extends SpdyEndpoint {
  readonly #onStream: (stream: SpdyStream) => void;
  #lastStreamId = 0;

  /** @param socket the socket, which the connection then owns */
  constructor(socket: Duplex, options: SpdyServerOptions) {
    super(socket, options.head);
    this.#onStream = options.onStream;
  }

  /** Ends every stream with RST and the connection with GOAWAY, like the CRI servers. */
  shutDown(): void {
    for (const stream of [...this.streams.values()]) stream.destroy();
    this.send({ type: "goAway", lastGoodStreamId: this.#lastStreamId, status: 0 }, () => this.endSocket());
  }

  protected override wasOpened(streamId: number): boolean {
    return streamId % 2 === 1 && streamId <= this.#lastStreamId;
  }

  protected override isOwnPing(id: number): boolean {
    return id % 2 === 0;
  }

  protected override onSynStream(frame: ControlFrame & { type: "synStream" }): void {
    const { streamId } = frame;
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) {
      throw protocolError(`stream ${streamId} after stream ${this.#lastStreamId}`);
    }
    this.#lastStreamId = streamId;
    const stream = new SpdyStream(this, streamId, this.readHeaders(frame.headerBlock));
    this.streams.set(streamId, stream);
    this.send({ type: "synReply", streamId, fin: false, headerBlock: this.compressHeaders({}) });
    stream.receiveReply(frame.fin);
    this.#onStream(stream);
  }

  protected override onGoAway(): void {}
}

/**
 * Accepts an upgrade request from the `upgrade` event of an HTTP server, like a CRI streaming server.
 *
 * @param protocols the protocols that the server supports. The server uses the first of them that the client offers
 * @returns undefined if the request was rejected
 */
export function acceptSpdy(
  request: IncomingMessage,
  socket: Duplex,
  protocols: readonly string[],
  options: SpdyServerOptions,
): SpdyServerConnection | undefined {
  const offered = (request.headersDistinct["x-stream-protocol-version"] ?? []).flatMap((value) =>
    value.split(/\s*,\s*/),
  );
  const protocol = offered.find((name) => protocols.includes(name));
  if (request.headers.upgrade?.toLowerCase() !== "spdy/3.1" || protocol === undefined) {
    const accepted = protocols.map((name) => `X-Accepted-Stream-Protocol-Versions: ${name}\r\n`).join("");
    const status = offered.length === 0 ? "400 Bad Request" : "403 Forbidden";
    socket.end(`HTTP/1.1 ${status}\r\n${accepted}Connection: close\r\nContent-Length: 0\r\n\r\n`);
    return undefined;
  }
  const headers = ["Connection: Upgrade", "Upgrade: SPDY/3.1", `X-Stream-Protocol-Version: ${protocol}`];
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers.join("\r\n")}\r\n\r\n`);
  return new SpdyServerConnection(socket, options);
}
