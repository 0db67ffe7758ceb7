/**
 * Servers that do to a gRPC client what no runtime would, at three depths of control. They are gone when the test is over.
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

/** A server that can be taken away, and something better put in its place. */
export interface HostileServer {
  /** `unix:///…` in a folder of its own, a pipe on Windows, or `http://127.0.0.1:…`. */
  readonly endpoint: string;
  /** How many connections there have been. */
  readonly connections: () => number;
  /** How many requests have arrived whole. Zero for servers that do not look. */
  readonly requests: () => number;
  /** Hangs up on everybody and stops listening. */
  stop(): Promise<void>;
}

/** Where to listen. */
export type Transport = "unix" | "tcp";

/** The same bytes again and again, as fast as they are taken, for as long as there is a connection. */
export function flood(socket: Socket, bytes: Uint8Array): void {
  while (socket.writable) {
    if (socket.write(bytes)) continue;
    socket.once("drain", () => flood(socket, bytes));
    return;
  }
}

/** Bytes are all there is: what comes is not looked at unless the script does. */
export function serveSocket(onConnection: (socket: Socket) => void): Promise<HostileServer> {
  return listen(createServer(onConnection), () => 0, "unix");
}

/** Bytes are all there is, from the end of a request's head on: a streaming server that was asked for a session, or part of one. */
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

/** One call that arrived over {@link serveFrames}, and whatever may be said about it. */
export class RawCall {
  constructor(
    readonly socket: Socket,
    readonly streamId: number,
  ) {}

  /** Any frame of this call's stream. */
  frame(type: number, flags: number, payload?: Uint8Array): this {
    return this.bytes(encodeFrame(type, flags, this.streamId, payload));
  }

  headers(fields: readonly HeaderField[] = okHeaders): this {
    return this.frame(frameType.headers, frameFlag.endHeaders, encodeHeaderBlock(fields));
  }

  /** The end of the stream, with the status of the call. */
  trailers(fields: readonly HeaderField[] = [["grpc-status", "0"]]): this {
    return this.frame(frameType.headers, frameFlag.endHeaders | frameFlag.endStream, encodeHeaderBlock(fields));
  }

  /** Bytes of the body, in frames of the length that clients allow. */
  data(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += 16_384) this.frame(frameType.data, 0, bytes.subarray(at, at + 16_384));
    return this;
  }

  /** A gRPC message in its envelope. */
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

/** What a gRPC server answers with before its messages. */
export const okHeaders: readonly HeaderField[] = [
  [":status", "200"],
  ["content-type", "application/grpc"],
];

/** A message behind its flags and length. */
export function envelope(bytes: Uint8Array, flags = 0): Buffer {
  return Buffer.concat([Buffer.of(flags), uint32(bytes.length), bytes]);
}

/** Frames are all there is: it greets as a server of HTTP/2, and tells the script of each request that arrived whole. */
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

/** A proper server of HTTP/2, for answers that take flow control; `path` is the RPC's. */
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
