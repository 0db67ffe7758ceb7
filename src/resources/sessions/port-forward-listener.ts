import { EventEmitter } from "node:events";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import type { FieldsOf } from "../../input/call-options.js";
import { onAbort } from "../../internal/abort.js";
import { reasonOf } from "../../streaming/quote.js";
import type { SessionOrigin } from "../../streaming/transport.js";
import { relay } from "./port-forward-relay.js";

/** Options of `PortForward.listen`. */
export interface ListenOptions {
  /** The pod's port. @defaultValue the first port of the port-forward */
  remotePort?: number | undefined;
  /** The local port; 0 for any free port. @defaultValue 0 */
  port?: number | undefined;
  /** The local address. Everyone who can connect to it can connect to the pod. @defaultValue "127.0.0.1" */
  host?: string | undefined;
  /** The path of a Unix socket to listen on instead of TCP. */
  path?: string | undefined;
  /** Closes the listener and its connections. */
  signal?: AbortSignal | undefined;
}

export const listenFields: FieldsOf<ListenOptions> = {
  remotePort: true,
  port: true,
  host: true,
  path: true,
  signal: true,
};

interface ListenerEvents {
  /** Emitted when a connection could not be forwarded, or broke between here and the pod. The listener continues. */
  connectionError: [error: CriError];
  /** Emitted when the listener has closed. */
  close: [];
}

/** Opens a connection to the pod. The signal cancels opening it. */
type Connect = (signal: AbortSignal) => Promise<Duplex>;

/** A local listener that forwards its connections to a port of a pod. */
export class PortForwardListener extends EventEmitter<ListenerEvents> implements AsyncDisposable {
  /** The local address. For a Unix socket, `address` is its path and `port` is 0. */
  readonly address: AddressInfo;
  /** The port of the pod. */
  readonly remotePort: number;
  readonly #server: Server;
  readonly #origin: SessionOrigin;
  readonly #sockets = new Set<Socket>();
  readonly #closed: Promise<void>;
  #isClosing = false;

  private constructor(server: Server, { remotePort, origin }: { remotePort: number; origin: SessionOrigin }) {
    super();
    this.#server = server;
    this.#origin = origin;
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
    options: ListenOptions & { remotePort: number; origin: SessionOrigin },
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
    const listener = new PortForwardListener(server, options);
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
    const localClosed = new AbortController();
    socket.once("close", () => {
      this.#sockets.delete(socket);
      localClosed.abort(new Error("the local connection was closed"));
    });
    socket.on("error", () => {});
    let failure: unknown;
    try {
      failure = await relay(socket, await connect(localClosed.signal));
    } catch (error) {
      if (!localClosed.signal.aborted) failure = error;
      socket.destroy();
    }
    if (failure !== undefined && !this.#isClosing) this.emit("connectionError", this.#toCriError(failure));
  }

  #toCriError(cause: unknown): CriError {
    if (CriError.is(cause)) return cause;
    const why = cause instanceof Error ? reasonOf(cause) : "it was cancelled";
    const message = `the connection to port ${this.remotePort} of the pod broke: ${why}`;
    return new CriError({ ...this.#origin, code: "UNAVAILABLE", message, cause });
  }
}
