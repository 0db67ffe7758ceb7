import { EventEmitter } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { InvalidInputError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";

/** Where a port-forward listens. */
export interface ListenOptions {
  /** The pod's port. @defaultValue the first one of the port-forward */
  remotePort?: number | undefined;
  /** The local port; 0 takes a free one. @defaultValue 0 */
  port?: number | undefined;
  /** The local address. Whoever reaches it reaches the pod. @defaultValue "127.0.0.1" */
  host?: string | undefined;
  /** Path of a unix socket to listen on instead of TCP. */
  path?: string | undefined;
  /** Closes the listener and its connections. */
  signal?: AbortSignal | undefined;
}

interface ListenerEvents {
  /** A connection could not be forwarded, or broke. The listener goes on. */
  connectionError: [error: unknown];
  /** The listener has closed. */
  close: [];
}

/** A local listener whose connections lead to a port of a pod. */
export class PortForwardListener extends EventEmitter<ListenerEvents> implements AsyncDisposable {
  /** Where it listens; for a unix socket `port` is 0 and `address` the path. */
  readonly address: AddressInfo;
  /** The port of the pod. */
  readonly remotePort: number;
  readonly #server: Server;
  readonly #stop = new AbortController();
  readonly #sockets = new Set<Socket>();
  readonly #closed: Promise<void>;

  private constructor(server: Server, remotePort: number) {
    super();
    this.#server = server;
    this.remotePort = remotePort;
    const address = server.address();
    this.address =
      typeof address === "object" && address ? address : { address: String(address), family: "unix", port: 0 };
    this.#closed = new Promise((resolve) => server.once("close", resolve));
    void this.#closed.then(() => this.emit("close"));
  }

  /** @internal */
  static async start(
    server: Server,
    connect: (socket: Socket, signal: AbortSignal) => Promise<Duplex>,
    options: ListenOptions & { remotePort: number },
  ): Promise<PortForwardListener> {
    const { port = 0, host = "127.0.0.1", path, signal } = options;
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      server.once("error", (cause) => {
        const [field, value] = path === undefined ? ["port", port] : ["path", path];
        reject(new InvalidInputError({ field, message: `cannot be listened on: ${cause.message}`, value, cause }));
      });
      server.listen(path === undefined ? { port, host } : { path }, () => {
        server.removeAllListeners("error").on("error", () => {});
        resolve();
      });
    });
    const listener = new PortForwardListener(server, options.remotePort);
    server.on("connection", (socket) => void listener.#forward(socket, connect));
    if (signal) void listener.#closed.then(onAbort(signal, () => void listener.close()));
    return listener;
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("the port-forward listener was closed"));
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #forward(socket: Socket, connect: (socket: Socket, signal: AbortSignal) => Promise<Duplex>): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.once("close", () => {
      this.#sockets.delete(socket);
      gone.abort(new Error("the local connection was closed"));
    });
    socket.on("error", () => {});
    try {
      const stream = await connect(socket, gone.signal);
      socket.resume();
      await Promise.all([pipeline(socket, stream), pipeline(stream, socket)]);
    } catch (error) {
      socket.destroy();
      if (!this.#stop.signal.aborted && !gone.signal.aborted) this.emit("connectionError", error);
    }
  }
}
