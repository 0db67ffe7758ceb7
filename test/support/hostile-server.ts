/**
 * Hostile servers for gRPC clients, controlled at the level of bytes, frames or streams. They stop after the test.
 *
 * @module
 */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  encodeFrame,
  encodeHeaderBlock,
  FrameReader,
  frameFlag,
  frameType,
  type HeaderField,
  uint32,
} from "./http2-frames.js";
import { localAddress } from "./platform.js";

/** A server that can be stopped and replaced at its endpoint. */
export interface HostileServer {
  /** `unix:///…` in a new folder, a pipe on Windows, or `http://127.0.0.1:…`. */
  readonly endpoint: string;
  /** Returns how many connections were accepted. */
  readonly connections: () => number;
  /** Returns how many complete requests arrived. Always 0 for servers that do not parse requests. */
  readonly requests: () => number;
  /** Closes all connections and stops listening. */
  stop(): Promise<void>;
}

export type Transport = "unix" | "tcp";

/** Sends the same bytes endlessly, as fast as the client reads, until the connection closes. */
export function flood(socket: Socket, bytes: Uint8Array): void {
  while (socket.writable) {
    if (socket.write(bytes)) continue;
    socket.once("drain", () => flood(socket, bytes));
    return;
  }
}

/** Serves raw connections, without parsing requests. */
export function serveSocket(onConnection: (socket: Socket) => void): Promise<HostileServer> {
  return listen(createServer(onConnection), () => 0, "unix");
}

/** Serves raw connections after the head of an HTTP request, like a streaming server. */
export function serveRequests(onRequest: (socket: Socket, head: string) => void): Promise<HostileServer> {
  const server = createServer((socket) => {
    let head = "";
    const onData = (chunk: Buffer) => {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      socket.off("data", onData).resume();
      onRequest(socket, head);
    };
    socket.on("data", onData);
  });
  return listen(server, () => 0, "tcp");
}

/** A call to {@link serveFrames}, with methods to send any frame. */
export class RawCall {
  constructor(
    readonly socket: Socket,
    readonly streamId: number,
  ) {}

  /** Sends a frame on this call's stream. */
  frame(type: number, flags: number, payload?: Uint8Array): this {
    return this.bytes(encodeFrame(type, flags, this.streamId, payload));
  }

  headers(fields: readonly HeaderField[] = okHeaders): this {
    return this.frame(frameType.headers, frameFlag.endHeaders, encodeHeaderBlock(fields));
  }

  /** Ends the stream with the status of the call. */
  trailers(fields: readonly HeaderField[] = [["grpc-status", "0"]]): this {
    return this.frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, encodeHeaderBlock(fields));
  }

  /** Sends bytes of the body, in frames of the length that clients allow. */
  data(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += 16_384) this.frame(frameType.data, 0, bytes.subarray(at, at + 16_384));
    return this;
  }

  /** Sends a gRPC message in its envelope. */
  message(bytes: Uint8Array = Buffer.alloc(0), flags = 0): this {
    return this.data(envelope(bytes, flags));
  }

  reset(code: number): this {
    return this.frame(frameType.rstStream, 0, uint32(code));
  }

  goaway(lastStreamId: number, code: number): this {
    return this.bytes(encodeFrame(frameType.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)])));
  }

  bytes(bytes: Uint8Array): this {
    if (this.socket.writable) this.socket.write(bytes);
    return this;
  }
}

/** The response headers of a gRPC server. */
export const okHeaders: readonly HeaderField[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** Adds flags and length to a message. */
export function envelope(bytes: Uint8Array, flags = 0): Buffer {
  return Buffer.concat([Buffer.of(flags), uint32(bytes.length), bytes]);
}

/** Serves HTTP/2 at the level of frames. Calls back for each complete request. */
export function serveFrames(
  onCall: (call: RawCall) => void,
  { settings, transport = "unix" }: { settings?: Uint8Array; transport?: Transport } = {},
): Promise<HostileServer> {
  let requests = 0;
  const server = createServer((socket) => {
    socket.write(encodeFrame(frameType.settings, 0, 0, settings));
    const reader = new FrameReader((type, flags, streamId, payload) => {
      if (type === frameType.settings && !(flags & frameFlag.ack)) socket.write(encodeFrame(type, frameFlag.ack, 0));
      if (type === frameType.ping && !(flags & frameFlag.ack))
        socket.write(encodeFrame(type, frameFlag.ack, 0, payload));
      const ends = type === frameType.data || type === frameType.headers;
      if (!ends || !(flags & frameFlag.endStream)) return;
      requests++;
      onCall(new RawCall(socket, streamId));
    });
    socket.on("data", (chunk: Buffer) => reader.write(chunk));
  });
  return listen(server, () => requests, transport);
}

/** Serves HTTP/2 with the server of Node.js, for replies that respect flow control. `path` is the path of the RPC. */
export function serveStreams(onStream: (stream: ServerHttp2Stream, path: string) => void): Promise<HostileServer> {
  let requests = 0;
  const server = createHttp2Server();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume().once("end", () => {
      requests++;
      onStream(stream, headers[":path"] ?? "");
    });
  });
  server.on("sessionError", () => {});
  return listen(server, () => requests, "unix");
}

async function listen(
  server: Server | Http2Server,
  requests: () => number,
  transport: Transport,
): Promise<HostileServer> {
  const folder = transport === "unix" ? await mkdtemp(join(tmpdir(), "hostile-")) : undefined;
  const local = folder === undefined ? undefined : localAddress(folder);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    if (local) server.listen(local.path, resolve);
    else server.listen(0, "127.0.0.1", resolve);
  });
  const endpoint = local?.endpoint ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(async () => {
    await stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  return { endpoint, connections: () => connections, requests, stop };
}
