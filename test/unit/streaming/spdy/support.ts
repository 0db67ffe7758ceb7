import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createConnection, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { SpdyConnection, type SpdyConnectionOptions } from "../../../../src/streaming/spdy/connection.js";
import { FrameDecoder } from "../../../../src/streaming/spdy/frame-decoder.js";
import { type ControlFrame, encodeDataHead, encodeFrame } from "../../../../src/streaming/spdy/frames.js";
import { HeaderCompressor, HeaderDecompressor } from "../../../../src/streaming/spdy/header-compression.js";
import { decodeHeaders, encodeHeaders, type SpdyHeaders } from "../../../../src/streaming/spdy/headers.js";
import type { SpdyStream } from "../../../../src/streaming/spdy/stream.js";
import { acceptSpdy, SpdyServerConnection } from "../../../../src/testing/streaming/spdy-server.js";

export const execProtocol = "v4.channel.k8s.io";
export const forwardProtocol = "portforward.k8s.io";

/** A secret that must not show up anywhere. */
export const token = "s3cr3t-T";

type OnUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/**
 * Serves a streaming URL. When the test is over, no client may have left a connection open.
 */
export async function serve(onUpgrade: OnUpgrade, tls?: { cert: string; key: string }): Promise<URL> {
  const server = tls ? createTlsServer(tls) : createServer();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    onUpgrade(request, socket as Socket, head);
  });
  return listen(server, tls ? "https" : "http");
}

/** Serves raw TCP: what comes is not looked at. */
export function serveTcp(onConnection: (socket: Socket) => void): Promise<URL> {
  return listen(createTcpServer(onConnection), "http");
}

async function listen(server: ReturnType<typeof createTcpServer> | ReturnType<typeof createServer>, scheme: string) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    // Servers of HTTP leave it to their users to hang up in turn.
    socket.on("end", () => socket.end());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    try {
      await eventually(() => sockets.size === 0, "the client has left a connection open");
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/exec/${token}`);
}

/** Serves SPDY as the servers of CRI do. */
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

/** A server that says whatever a test wants it to. */
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

/** Agrees to a protocol, and leaves the rest to the test. */
export function serveHostile(protocol: string, script: (peer: HostilePeer) => void | Promise<void>): Promise<URL> {
  return serve((_request, socket) => {
    socket.write(switching(protocol));
    void script(new HostilePeer(socket));
  });
}

/** The answer to an upgrade that went well. */
export function switching(protocol: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`;
}

/** Both ends of a connection, with nothing but a socket in between. */
export async function connectedPair(
  onStream: (stream: SpdyStream) => void,
  options?: SpdyConnectionOptions,
): Promise<{ client: SpdyConnection; server: SpdyServerConnection }> {
  const { client, peer } = await socketPair();
  return { client: new SpdyConnection(client, options), server: new SpdyServerConnection(peer, { onStream }) };
}

/** Two ends of a TCP connection; destroyed when the test is over. */
export async function socketPair(): Promise<{ client: Socket; peer: Socket }> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const client = createConnection((server.address() as AddressInfo).port, "127.0.0.1");
  const peer = await accepted;
  server.close();
  onTestFinished(() => {
    client.destroy();
    peer.destroy();
  });
  client.on("error", () => {});
  peer.on("error", () => {});
  return { client, peer };
}

export async function readAll(stream: Readable | null): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream ?? []) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

/** Waits for something that has to become true soon. */
export async function eventually(condition: () => boolean, message: string, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in time: ${message}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("It did not reject.");
}
