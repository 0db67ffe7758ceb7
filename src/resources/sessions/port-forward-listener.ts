import { EventEmitter } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { reasonOf } from "../../streaming/quote.js";
import { relay } from "./port-forward-relay.js";

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
  /** A connection could not be forwarded, or broke on its way to the pod. The listener goes on. */
  connectionError: [error: CriError];
  /** The listener has closed. */
  close: [];
}

/** Makes a connection to the pod; the signal ends the waiting for it. */
type Connect = (signal: AbortSignal) => Promise<Duplex>;

/** A local listener whose connections lead to a port of a pod. */
export class PortForwardListener extends EventEmitter<ListenerEvents> implements AsyncDisposable {
  /** Where it listens; for a unix socket `port` is 0 and `address` the path. */
  readonly address: AddressInfo;
  /** The port of the pod. */
  readonly remotePort: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #closed: Promise<void>;
  #isClosing = false;

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
    connect: Connect,
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
    if (signal?.aborted) await listener.close();
    signal?.throwIfAborted();
    if (signal) void listener.#closed.then(onAbort(signal, () => void listener.close()));
    return listener;
  }

  /** Stops listening and ends all connections. */
  async close(): Promise<void> {
    this.#isClosing = true;
    if (this.#server.listening) this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #forward(socket: Socket, connect: Connect): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.once("close", () => {
      this.#sockets.delete(socket);
      gone.abort(new Error("the local connection was closed"));
    });
    socket.on("error", () => {});
    let failure: unknown;
    try {
      failure = await relay(socket, await connect(gone.signal));
    } catch (error) {
      if (!gone.signal.aborted) failure = error;
      socket.destroy();
    }
    if (failure !== undefined && !this.#isClosing) this.emit("connectionError", this.#explain(failure));
  }

  #explain(cause: unknown): CriError {
    if (CriError.is(cause)) return cause;
    const why = cause instanceof Error ? reasonOf(cause) : "it was cancelled";
    const message = `the connection to port ${this.remotePort} of the pod broke: ${why}`;
    return new CriError({ code: "UNAVAILABLE", message, cause });
  }
}
