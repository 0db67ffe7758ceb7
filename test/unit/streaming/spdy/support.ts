import type { Socket } from "node:net";
import { SpdyConnection, type SpdyConnectionOptions } from "../../../../src/streaming/spdy/connection.js";
import { FrameDecoder } from "../../../../src/streaming/spdy/frame-decoder.js";
import { type ControlFrame, encodeDataHead, encodeFrame } from "../../../../src/streaming/spdy/frames.js";
import { HeaderCompressor, HeaderDecompressor } from "../../../../src/streaming/spdy/header-compression.js";
import { decodeHeaders, encodeHeaders, type SpdyHeaders } from "../../../../src/streaming/spdy/headers.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { acceptSpdy, SpdyServerConnection } from "../../../../src/testing/streaming/spdy-server.js";
import { serve, socketPair } from "../support.js";

export const execProtocol = "v4.channel.k8s.io";
export const forwardProtocol = "portforward.k8s.io";

/** Serves SPDY like the CRI servers. */
export function serveSpdy(
  protocol: string,
  onStream: (stream: SpdyStream, connection: SpdyServerConnection) => void,
): Promise<URL> {
  return serve((request, socket, head) => {
    const connection = acceptSpdy(request, socket, [protocol], {
      head,
      onStream: (stream) => onStream(stream, connection as SpdyServerConnection),
    });
  });
}

/** A server that sends the frames of a test. */
export class HostilePeer {
  readonly socket: Socket;
  /** The client's streams by their type. */
  readonly streams = new Map<string, number>();
  readonly frames: ControlFrame[] = [];
  readonly data: { streamId: number; bytes: Buffer; fin: boolean }[] = [];
  readonly #compressor = new HeaderCompressor();
  readonly #decompressor = new HeaderDecompressor(65_536);
  readonly #waiting: { type: string; resolve: () => void }[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder({
      onFrame: (frame) => {
        this.frames.push(frame);
        if (frame.type !== "synStream") return;
        const headers: SpdyHeaders = decodeHeaders(this.#decompressor.decompress(frame.headerBlock));
        this.streams.set(headers.get("streamtype")?.[0] ?? "", frame.streamId);
        for (const { type, resolve } of this.#waiting) if (this.streams.has(type)) resolve();
      },
      onData: (streamId, bytes, fin) => this.data.push({ streamId, bytes: Buffer.from(bytes), fin }),
    });
    socket.on("data", (chunk) => decoder.write(chunk));
  }

  /** Resolves when the client has opened a stream. */
  opened(type: string): Promise<void> {
    if (this.streams.has(type)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ type, resolve }));
  }

  async replyTo(...types: string[]): Promise<void> {
    for (const type of types) {
      await this.opened(type);
      this.frame({ type: "synReply", streamId: this.id(type), fin: false, headerBlock: this.headerBlock() });
    }
  }

  id(type: string): number {
    return this.streams.get(type) ?? 0;
  }

  headerBlock(headers: Record<string, string> = {}): Buffer {
    return this.#compressor.compress(encodeHeaders(headers));
  }

  frame(frame: ControlFrame): void {
    this.socket.write(encodeFrame(frame));
  }

  write(streamId: number, text: string | Buffer, fin = false): void {
    const bytes = Buffer.from(text);
    this.socket.write(Buffer.concat([encodeDataHead(streamId, bytes.length, fin), bytes]));
  }

  reset(streamId: number, status = 5): void {
    this.frame({ type: "rstStream", streamId, status });
  }

  raw(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === "string" ? Buffer.from(bytes.replace(/\s/g, ""), "hex") : bytes);
  }
}

/** Serves connections whose upgrade is accepted. The script of the test sends everything else. */
export function serveHostile(protocol: string, script: (peer: HostilePeer) => void | Promise<void>): Promise<URL> {
  return serve((_request, socket) => {
    socket.write(switching(protocol));
    void script(new HostilePeer(socket));
  });
}

/** Returns the response that accepts an upgrade. */
export function switching(protocol: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`;
}

/** Returns both ends of a connection over a socket pair. */
export async function connectedPair(
  onStream: (stream: SpdyStream) => void,
  options?: SpdyConnectionOptions,
): Promise<{ client: SpdyConnection; server: SpdyServerConnection }> {
  const { client, peer } = await socketPair();
  return { client: new SpdyConnection(client, options), server: new SpdyServerConnection(peer, { onStream }) };
}
