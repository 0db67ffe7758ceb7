import { createHash } from "node:crypto";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect } from "vitest";
import { v4 } from "../../../../src/streaming/websocket/frames.js";
import { WebSocketAcceptor, type WebSocketChannels } from "../../../../src/testing/streaming/websocket-server.js";

export const token = "s3cr3tT0";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A server for one test. */
export interface TestServer {
  url: URL;
  sockets: Set<Socket>;
  /** Resolves when all connections have closed. A connection that the client leaks keeps it from resolving. */
  drained(): Promise<void>;
}

async function serve(server: Server | ReturnType<typeof createServer>): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/exec/${token}`);
  const drained = () => expect.poll(() => sockets.size, { timeout: 5_000 }).toBe(0) as unknown as Promise<void>;
  return { url, sockets, drained };
}

/** Starts a conforming server. */
export function serveSessions(
  onSession: (session: WebSocketChannels) => unknown,
  protocols: readonly string[] = [v4],
): Promise<TestServer> {
  const server = createHttpServer((_, response) => response.writeHead(400).end());
  new WebSocketAcceptor({ protocols }).attach(server, (session) => void onSession(session));
  return serve(server);
}

/** Starts a server that passes each raw connection and the head of the request to a callback. */
export function serveBare(onRequest: (socket: Socket, head: string) => unknown): Promise<TestServer> {
  return serve(
    createServer((socket) => {
      let head = "";
      const onData = (chunk: Buffer) => {
        head += chunk.toString("latin1");
        if (!head.includes("\r\n\r\n")) return;
        socket.off("data", onData);
        onRequest(socket, head);
        socket.resume();
      };
      socket.on("data", onData);
    }),
  );
}

/** Returns the response that accepts a WebSocket. */
export function switching(head: string, headers: Record<string, string> = { "Sec-WebSocket-Protocol": v4 }): string {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(head)?.[1] ?? "";
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  const all = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Accept": accept, ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join("")}\r\n`;
}

/** Encodes a frame like a server: unmasked. */
export function frame(opcode: number, payload: Uint8Array, { fin = true } = {}): Buffer {
  const { length } = payload;
  const size = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 255] : undefined;
  const long = Buffer.alloc(9);
  long[0] = 127;
  long.writeBigUInt64BE(BigInt(length), 1);
  return Buffer.concat([Buffer.of((fin ? 0x80 : 0) | opcode), size ? Buffer.from(size) : long, payload]);
}

export const binary = (channel: number, text: string) =>
  frame(2, Buffer.concat([Buffer.of(channel), Buffer.from(text)]));
export const closing = (code: number, reason = "") =>
  frame(8, Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]));
export const success = '{"metadata":{},"status":"Success"}';
export const exitCode = (code: number) => ({
  status: "Failure",
  reason: "NonZeroExitCode",
  details: { causes: [{ reason: "ExitCode", message: String(code) }] },
});

/** Returns the error of a promise that must reject. */
export async function failure(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: Error) => ({ error }),
  );
  if ("value" in outcome) throw new Error("succeeded");
  return outcome.error;
}
