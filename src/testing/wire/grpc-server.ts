import { rename, rm, stat } from "node:fs/promises";
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { CallAborted, type Connection, IncomingCall } from "./incoming-call.js";
import { type ServerTls, secureServerOptions } from "./server-tls.js";

/** The address to listen on. */
export type ListenAddress = { path: string } | { host: string; port: number };

export interface GrpcServerOptions {
  onCall: (call: IncomingCall) => void;
  /** Limit on a request, in bytes. */
  maxMessageBytes: number;
  tls?: ServerTls | undefined;
}

/**
 * A gRPC server on node:http2. gRPC libraries hide features that tests of a client need: the raw `grpc-timeout`, the connection
 * of a call, and a way to break only that connection during the call.
 */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #connections = new Map<Socket, Connection>();
  readonly #calls = new Set<IncomingCall>();
  #server: Http2Server | Http2SecureServer | undefined;
  #address: ListenAddress | undefined;
  #accepted = 0;
  #killed = new AbortController();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
  }

  get listening(): boolean {
    return this.#server !== undefined;
  }

  /** The number of connected clients. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Starts to listen and returns the address, with the chosen port for port 0. Replaces a stale socket file. */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    if ("path" in address) await removeStaleSocket(address.path);
    const server = this.#create();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(address, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
    this.#server = server;
    this.#killed = new AbortController();
    this.#address = "path" in address ? address : { host: address.host, port: (server.address() as AddressInfo).port };
    return this.#address;
  }

  /**
   * Stops like a killed process: connections break, calls in progress stop, and the socket file stays.
   */
  async kill(): Promise<void> {
    const path = this.#address && "path" in this.#address ? this.#address.path : undefined;
    if (!this.#server || path === undefined) return this.close();
    // Closing the server removes the file at the path to which it was bound. A file with another name stays.
    const temporaryPath = `${path}~`;
    await rename(path, temporaryPath).catch(() => {});
    await this.close();
    await rename(temporaryPath, path).catch(() => {});
  }

  /** Breaks all connections and stops listening. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const calls = [...this.#calls];
    this.#killed.abort(new CallAborted("killed"));
    for (const call of calls) call.abort("killed");
    this.disconnectAll();
    await Promise.all([closed, ...calls.map((call) => call.closed)]);
  }

  /** Breaks the connections of all clients. Clients can connect again. */
  disconnectAll(): void {
    for (const connection of [...this.#connections.values()]) connection.destroy();
  }

  #create(): Http2Server | Http2SecureServer {
    const { tls } = this.#options;
    const limits = {
      maxSessionMemory: 1_000,
      settings: { initialWindowSize: 1 << 20 },
      // Node.js treats clients that cancel often as attackers. Before 22.10 these limits cannot be changed: it closes a
      // connection after 1,000 cancellations in quick succession.
      streamResetBurst: 1_000_000,
      streamResetRate: 1_000_000,
    };
    const server: Http2Server | Http2SecureServer = tls
      ? createSecureServer({ ...limits, ...secureServerOptions(tls) })
      : createServer(limits);
    // Node.js emits "session" synchronously after the event of the connection's socket.
    let arriving: Socket | undefined;
    server.prependListener(tls ? "secureConnection" : "connection", (socket: Socket) => {
      socket.on("error", () => {});
      arriving = socket;
    });
    server.on("session", (session: ServerHttp2Session) => {
      session.on("error", () => {});
      const socket = arriving as Socket;
      const connection: Connection = { ordinal: ++this.#accepted, destroy: () => socket.destroy() };
      this.#connections.set(socket, connection);
      socket.once("close", () => this.#connections.delete(socket));
      const onStream = (
        stream: ServerHttp2Stream,
        headers: IncomingHttpHeaders,
        _flags: number,
        rawHeaders: readonly string[],
      ) => this.#onStream(stream, headers, rawHeaders, connection);
      session.on("stream", onStream as (...args: unknown[]) => void);
    });
    return server;
  }

  #onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    connection: Connection,
  ): void {
    const call = new IncomingCall(
      stream,
      headers,
      rawHeaders,
      connection,
      this.#killed.signal,
      this.#options.maxMessageBytes,
    );
    this.#calls.add(call);
    void call.closed.then(() => this.#calls.delete(call));
    this.#options.onCall(call);
  }
}

async function removeStaleSocket(path: string): Promise<void> {
  const file = await stat(path).catch(() => undefined);
  // A named pipe on Windows is not a file that can become stale.
  if (!file || path.startsWith("\\\\")) return;
  if (!file.isSocket()) throw new Error(`${path} exists and is not a socket`);
  await rm(path, { force: true });
}
