import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { type AddressInfo, createConnection, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { onTestFinished } from "vitest";
import { openSpdyRemoteCommand } from "../../../src/streaming/spdy/remote-command.js";
import type { SpdyStream } from "../../../src/streaming/spdy/stream.js";
import type { DialOptions, RemoteCommand } from "../../../src/streaming/transport.js";
import { openWebSocketRemoteCommand } from "../../../src/streaming/websocket/remote-command.js";
import { acceptSpdy } from "../../../src/testing/streaming/spdy-server.js";
import { WebSocketAcceptor } from "../../../src/testing/streaming/websocket-server.js";

/** A secret that must not appear in any error. */
export const token = "s3cr3t-T";

const streams = { stdin: true, stdout: true, stderr: false, tty: false };

/** Both protocols by name, with a function that runs a command. */
export const protocols: [string, (url: URL, options?: DialOptions) => Promise<RemoteCommand>][] = [
  ["SPDY/3.1", (url, options) => openSpdyRemoteCommand(url, streams, options)],
  ["WebSocket", (url, options) => openWebSocketRemoteCommand(url, streams, options)],
];

type OnUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => unknown;

/** Serves a streaming URL. Fails the test if the client leaves a connection open. */
export async function serve(onUpgrade: OnUpgrade, tls?: ServerOptions): Promise<URL> {
  const server = tls ? createTlsServer(tls) : createServer();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    onUpgrade(request, socket as Socket, head);
  });
  return listen(server, tls ? "https" : "http");
}

/** Serves raw TCP, without parsing requests. */
export function serveTcp(onConnection: (socket: Socket) => void): Promise<URL> {
  return listen(createTcpServer(onConnection), "http");
}

async function listen(server: ReturnType<typeof createTcpServer> | ReturnType<typeof createServer>, scheme: string) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    // HTTP servers do not close upgraded connections by themselves.
    socket.on("end", () => socket.end());
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    try {
      await eventually(() => sockets.size === 0, "the client closes its connections");
    } finally {
      for (const socket of sockets) socket.destroy();
      server.close();
    }
  });
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/exec/${token}`);
}

/** Serves one response to any request. */
export function serveAnswer(answer: string): Promise<URL> {
  return serveTcp((socket) => {
    socket.once("data", () => socket.end(answer));
  });
}

/** Serves a command that prints "hello" and exits with code 0, over both protocols. */
export async function serveHello(tls?: ServerOptions): Promise<{ url: URL; requests: () => number }> {
  let requests = 0;
  const acceptor = new WebSocketAcceptor();
  const url = await serve(async (request, socket, head) => {
    requests++;
    if (request.headers.upgrade === "websocket") {
      const session = await acceptor.accept(request, socket, head);
      session?.writable(1).write("hello");
      await session?.end({ status: "Success" });
      return;
    }
    const opened = new Map<string | undefined, SpdyStream>();
    const onStream = (stream: SpdyStream) => {
      opened.set(stream.headers.get("streamtype")?.[0], stream);
      if (opened.size < 3) return;
      opened.get("stdout")?.write("hello");
      opened.get("error")?.write('{"status":"Success"}', () => connection?.shutDown());
    };
    const connection = acceptSpdy(request, socket, ["v4.channel.k8s.io"], { head, onStream });
  }, tls);
  return { url, requests: () => requests };
}

/** Returns both ends of a TCP connection. They are destroyed after the test. */
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

/** Waits until a condition becomes true. */
export async function eventually(condition: () => boolean, message: string, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not in time: ${message}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Returns the reason with which a promise rejects. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("the promise did not reject");
}
