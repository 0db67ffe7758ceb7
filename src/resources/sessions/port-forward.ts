import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { portForwardUrl } from "../../calls/stream-urls.js";
import { CriError, InvalidInputError } from "../../errors.js";
import { openPortForward, type PortForwarding } from "../../streaming/open.js";
import type { PortForwardConnection } from "../../streaming/transport.js";
import type { Core } from "../core.js";
import { opening, type SessionOptions } from "./opening.js";
import { type ListenOptions, PortForwardListener } from "./port-forward-listener.js";

/** Options of a port-forward. `timeoutMs` and `deadline` are for making connections, not for their life. */
export type PortForwardOptions = SessionOptions;

/** A port-forward to ports of a pod. Checks them; no I/O. */
export function portForward(
  core: Core,
  podSandboxId: string,
  ports: number | readonly number[],
  options: PortForwardOptions = {},
): PortForward {
  const all = typeof ports === "number" ? [ports] : [...ports];
  if (all.length === 0) throw new InvalidInputError({ field: "ports", message: "must name at least one port" });
  checkPorts(all);
  return new PortForward(core, podSandboxId, all, options);
}

/** @throws InvalidInputError for what is no port */
export function checkPorts(ports: readonly number[]): void {
  ports.forEach((port, index) => {
    if (Number.isInteger(port) && port > 0 && port < 65_536) return;
    throw new InvalidInputError({ field: `ports[${index}]`, message: "must be a port from 1 to 65535", value: port });
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
  readonly #core: Core;
  readonly #podSandboxId: string;
  readonly #options: PortForwardOptions;
  /** The one SPDY connection that carries everything, while it lives. */
  #shared: Promise<PortForwardConnection | undefined> | undefined;
  readonly #open = new Set<Duplex>();
  readonly #listeners = new Set<PortForwardListener>();
  #dialling = 0;
  #closed = false;

  /** @internal */
  constructor(core: Core, podSandboxId: string, ports: readonly number[], options: PortForwardOptions) {
    this.#core = core;
    this.#podSandboxId = podSandboxId;
    this.ports = ports;
    this.#options = options;
  }

  /**
   * Makes a connection to a port of the pod. The stream breaks with a `CriError` when the runtime reports that it could not
   * connect; other connections are not affected.
   *
   * @param port one of {@link ports}; the first one if left out
   */
  async connect(
    port: number = this.ports[0] as number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Duplex> {
    if (!this.ports.includes(port)) {
      throw new InvalidInputError({ field: "port", message: `must be one of ${this.ports.join(", ")}`, value: port });
    }
    if (this.#closed) throw new CriError({ code: "CLIENT_CLOSED", message: "the port-forward has been closed" });
    const stream = await this.#dial(port, options.signal);
    this.#open.add(stream);
    // Whoever uses the stream hears of its errors; one that nobody listens to must not take the process along.
    stream.on("error", () => {});
    stream.once("close", () => {
      this.#open.delete(stream);
      void this.#rest();
    });
    return stream;
  }

  /**
   * Listens locally, on loopback unless told otherwise, and forwards every connection to the pod. A connection that fails ends
   * alone; the listener reports it as `connectionError` and goes on, also while the pod's server is away.
   *
   * @throws InvalidInputError if the local port or path cannot be listened on
   */
  async listen(options: ListenOptions = {}): Promise<PortForwardListener> {
    const remotePort = options.remotePort ?? (this.ports[0] as number);
    if (!this.ports.includes(remotePort)) {
      throw new InvalidInputError({
        field: "remotePort",
        message: `must be one of ${this.ports.join(", ")}`,
        value: remotePort,
      });
    }
    const listener = await PortForwardListener.start(
      createServer({ allowHalfOpen: true, pauseOnConnect: true }),
      (_socket: Socket, signal: AbortSignal) => this.connect(remotePort, { signal }),
      { ...options, remotePort, signal: options.signal ?? this.#options.signal },
    );
    this.#listeners.add(listener);
    listener.once("close", () => {
      this.#listeners.delete(listener);
      void this.#rest();
    });
    return listener;
  }

  /** Ends all connections and listeners. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#listeners].map((listener) => listener.close()));
    for (const stream of this.#open) stream.destroy();
    await this.#rest();
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #dial(port: number, signal: AbortSignal | undefined): Promise<Duplex> {
    this.#dialling++;
    try {
      // A shared connection may die between being handed out and being used: once more, on a new one.
      for (let round = 1; ; round++) {
        const shared = this.#shared;
        // No await here: of many that come at once the first one connects, and the others find it doing so.
        if (!shared) break;
        const known = await shared.catch(() => undefined);
        if (!known) break;
        try {
          return await known.open(port, { signal });
        } catch (error) {
          signal?.throwIfAborted();
          if (round === 2 || !CriError.is(error, "UNAVAILABLE")) throw error;
          this.#forget(shared);
        }
      }
      const forwarding = await this.#connectAnew(port);
      return forwarding.transport === "spdy" ? await forwarding.connection.open(port, { signal }) : forwarding.first;
    } finally {
      this.#dialling--;
    }
  }

  /** Asks the runtime for a session. One over SPDY is there for all who come after. */
  #connectAnew(port: number): Promise<PortForwarding> {
    const { connection, streamMemory } = this.#core;
    const made = opening(
      this.#core,
      "portForward",
      this.#options,
      (o) => portForwardUrl(connection, this.#podSandboxId, [port], o),
      (how) => openPortForward(port, how),
      (it) => (it.transport === "spdy" ? it.connection.closed : once(it.first, "close")),
    );
    const transport = this.#options.transport ?? streamMemory.portForward ?? "spdy";
    if (transport === "spdy") {
      const shared = made.then((forwarding) => (forwarding.transport === "spdy" ? forwarding.connection : undefined));
      this.#shared = shared;
      const forget = () => this.#forget(shared);
      shared.then((it) => (it ? it.closed.then(forget) : forget()), forget);
    }
    return made;
  }

  #forget(shared: Promise<PortForwardConnection | undefined>): void {
    if (this.#shared === shared) this.#shared = undefined;
  }

  /** Without connections and listeners there is no reason to keep the shared connection, and the process, alive. */
  async #rest(): Promise<void> {
    const shared = this.#shared;
    const connection = await shared?.catch(() => undefined);
    if (!connection || this.#open.size + this.#listeners.size + this.#dialling > 0) return;
    this.#forget(shared as Promise<PortForwardConnection | undefined>);
    connection.destroy();
  }
}
