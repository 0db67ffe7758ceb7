import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { checkCallOptions } from "../../input/call-options.js";
import { linkAbort } from "../../internal/abort.js";
import { portForwardUrl } from "../../rpcs/stream-urls.js";
import { defaultHandshakeTimeoutMs } from "../../streaming/handshake.js";
import { openPortForward, type PortForwarding } from "../../streaming/open.js";
import type { ClientContext } from "../context.js";
import { openSession, type SessionOptions } from "./open-session.js";
import { type ListenOptions, PortForwardListener } from "./port-forward-listener.js";
import { SessionPool } from "./port-forward-pool.js";
import { endOf } from "./port-forward-session.js";

/** Options of a port-forward. `timeoutMs` and `deadline` are for making connections, not for their life. */
export type PortForwardOptions = SessionOptions;

/** A port-forward to ports of a pod. Checks them; no I/O. */
export function portForward(
  context: ClientContext,
  podSandboxId: string,
  ports: number | readonly number[],
  options: PortForwardOptions = {},
): PortForward {
  checkCallOptions(options);
  // Text can be iterated as well, digit by digit.
  const all: readonly number[] = Array.isArray(ports) ? [...ports] : [ports];
  if (all.length === 0) throw new InvalidInputError({ field: "ports", message: "must name at least one port" });
  checkPorts(all);
  return new PortForward(context, podSandboxId, all, options);
}

/** @throws InvalidInputError for what is no port */
export function checkPorts(ports: readonly number[]): void {
  ports.forEach((port, index) => {
    if (Number.isInteger(port) && port > 0 && port < 65_536) return;
    throw new InvalidInputError({ field: `ports[${index}]`, message: "must be a number from 1 to 65535", value: port });
  });
}

/**
 * Connections to ports of a pod, through the runtime. Nothing is dialled before the first {@link connect}.
 *
 * Runtimes close a connection for good within a second after either side has ended its half, so a protocol that ends its half
 * and then waits long for an answer does not work through them.
 */
export class PortForward implements AsyncDisposable {
  /** The ports of the pod. */
  readonly ports: readonly number[];
  readonly #context: ClientContext;
  readonly #podSandboxId: string;
  readonly #options: PortForwardOptions;
  readonly #carriers: SessionPool;
  readonly #open = new Set<Duplex>();
  readonly #listeners = new Set<PortForwardListener>();
  readonly #stop = new AbortController();

  /** @internal */
  constructor(context: ClientContext, podSandboxId: string, ports: readonly number[], options: PortForwardOptions) {
    this.#context = context;
    this.#podSandboxId = podSandboxId;
    this.ports = ports;
    this.#options = options;
    this.#carriers = new SessionPool({
      dial: (port, signal) => this.#dial(port, signal),
      endings: [this.#stop.signal, options.signal ?? context.connection.signal],
      isShareable: () => (options.transport ?? context.streamMemory.portForward ?? "spdy") === "spdy",
      isKept: () => this.#listeners.size > 0,
    });
  }

  /**
   * Makes a connection to a port of the pod. The stream breaks with a `CriError` when the runtime reports that it could not
   * connect; other connections are not affected.
   *
   * @param port one of {@link ports}; the first one if left out
   * @param options `signal` ends the waiting for the connection, and has no bearing on its life
   */
  async connect(
    port: number = this.ports[0] as number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Duplex> {
    this.#check("port", port);
    const link = this.#link(options.signal);
    try {
      link.signal.throwIfAborted();
      const stream = await this.#carriers.open(port, link.signal);
      // Whoever uses the stream hears of its errors; one that nobody listens to must not take the process along.
      stream.on("error", () => {});
      if (link.signal.aborted) stream.destroy();
      link.signal.throwIfAborted();
      if (stream.errored) throw stream.errored;
      this.#open.add(stream);
      stream.once("close", () => this.#open.delete(stream));
      return stream;
    } finally {
      link.unlink();
    }
  }

  /**
   * Listens locally, on loopback unless told otherwise, and forwards every connection to the pod. A connection that fails ends
   * alone; the listener reports it as `connectionError` and goes on, also while the pod's server is away.
   *
   * @throws InvalidInputError if the local port or path cannot be listened on
   */
  async listen(options: ListenOptions = {}): Promise<PortForwardListener> {
    const remotePort = options.remotePort ?? (this.ports[0] as number);
    this.#check("remotePort", remotePort);
    const link = this.#link(options.signal);
    try {
      const listener = await PortForwardListener.start(
        createServer({ allowHalfOpen: true, pauseOnConnect: true }),
        (signal: AbortSignal) => this.connect(remotePort, { signal }),
        { ...options, remotePort, signal: link.signal },
      );
      this.#listeners.add(listener);
      listener.once("close", () => {
        link.unlink();
        this.#listeners.delete(listener);
        this.#carriers.rest();
      });
      return listener;
    } catch (error) {
      link.unlink();
      throw error;
    }
  }

  /** Ends all connections and listeners, and what is about to become one. */
  async close(): Promise<void> {
    const listeners = [...this.#listeners].map((listener) => listener.close());
    for (const stream of this.#open) stream.destroy();
    this.#stop.abort(new CriError({ code: "CLIENT_CLOSED", message: "the port-forward has been closed" }));
    await Promise.all(listeners);
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whatever ends the port-forward, and a signal besides. To be unlinked: a port-forward need not be closed. */
  #link(signal: AbortSignal | undefined) {
    const { connection } = this.#context;
    return linkAbort(signal, this.#stop.signal, this.#options.signal ?? connection.signal, ...connection.closing);
  }

  #check(field: string, port: number): void {
    if (this.ports.includes(port)) return;
    throw new InvalidInputError({ field, message: `must be one of ${this.ports.join(", ")}`, value: port });
  }

  /** Asks the runtime for a session. Over SPDY the session takes other ports too; over WebSocket it is for the one it names. */
  #dial(port: number, signal: AbortSignal): Promise<PortForwarding> {
    const { connection } = this.#context;
    const { handshakeTimeoutMs = defaultHandshakeTimeoutMs, timeoutMs } = this.#options;
    const acceptTimeoutMs = Math.min(handshakeTimeoutMs, timeoutMs || Number.POSITIVE_INFINITY);
    return openSession(
      this.#context,
      "portForward",
      { ...this.#options, signal },
      (o) => portForwardUrl(connection, this.#podSandboxId, [port], o),
      (how) => openPortForward(port, { ...how, acceptTimeoutMs }),
      endOf,
    );
  }
}
