import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { checkCallOptions, checkOptions, checkSignal, type FieldsOf } from "../../input/call-options.js";
import { linkAbort } from "../../internal/abort.js";
import { portForwardUrl } from "../../rpcs/stream-urls.js";
import { defaultHandshakeTimeoutMs } from "../../streaming/handshake.js";
import { openPortForward, type PortForwarding } from "../../streaming/open.js";
import type { SessionOrigin } from "../../streaming/transport.js";
import { type OpenSession, traceSession } from "../../tracing/session.js";
import { compact } from "../../tracing/subject.js";
import type { ClientContext } from "../context.js";
import { openSession, originOf, type SessionOptions, sessionFields } from "./open-session.js";
import { type ListenOptions, listenFields, PortForwardListener } from "./port-forward-listener.js";
import { SessionPool } from "./port-forward-pool.js";
import { endOf } from "./port-forward-session.js";

/** Options of `portForward`. `timeoutMs` and `deadline` limit the opening of each connection, not its duration. */
export type PortForwardOptions = SessionOptions;

const connectFields: FieldsOf<{ signal?: AbortSignal | undefined }> = { signal: true };

/** Creates a port-forward to ports of a pod. Checks the arguments, and does no I/O. */
export function portForward(
  context: ClientContext,
  podSandboxId: string,
  ports: number | readonly number[],
  options: PortForwardOptions = {},
): PortForward {
  checkOptions(options, sessionFields);
  checkCallOptions(options);
  // A string is iterable too: spreading "8080" would give its digits.
  const all: readonly number[] = Array.isArray(ports) ? [...ports] : [ports];
  if (all.length === 0) throw new InvalidInputError({ field: "ports", message: "must name at least one port" });
  checkPorts(all);
  return new PortForward(context, podSandboxId, all, options);
}

/** Checks port numbers. @throws InvalidInputError unless each is an integer from 1 to 65535 */
export function checkPorts(ports: readonly number[]): void {
  ports.forEach((port, index) => {
    if (Number.isInteger(port) && port > 0 && port < 65_536) return;
    throw new InvalidInputError({ field: `ports[${index}]`, message: "must be a number from 1 to 65535", value: port });
  });
}

/**
 * Connects to ports of a pod through the runtime. The first {@link connect} opens a session with the runtime.
 *
 * Runtimes close a connection within a second after either side has ended its half. A protocol that ends its half and then waits
 * longer for a reply does not work through a port-forward.
 */
export class PortForward implements AsyncDisposable {
  /** The ports of the pod. */
  readonly ports: readonly number[];
  readonly #context: ClientContext;
  readonly #podSandboxId: string;
  readonly #options: PortForwardOptions;
  readonly #origin: SessionOrigin;
  readonly #sessions: SessionPool;
  readonly #open = new Set<Duplex>();
  readonly #listeners = new Set<PortForwardListener>();
  readonly #stop = new AbortController();

  /** @internal */
  constructor(context: ClientContext, podSandboxId: string, ports: readonly number[], options: PortForwardOptions) {
    this.#context = context;
    this.#podSandboxId = podSandboxId;
    this.ports = ports;
    this.#options = options;
    this.#origin = originOf(context, "portForward");
    this.#sessions = new SessionPool({
      dial: (port, signal) => this.#dial(port, signal),
      endSignals: [this.#stop.signal, options.signal ?? context.connection.signal],
      isShareable: () => (options.transport ?? context.streamMemory.portForward ?? "spdy") === "spdy",
      isKept: () => this.#listeners.size > 0,
    });
  }

  /**
   * Opens a connection to a port of the pod. If the runtime reports that it could not connect, the stream breaks with a
   * `CriError`. Other connections are not affected.
   *
   * @param port one of {@link ports}. By default the first one
   * @param options `signal` cancels opening the connection. It does not affect an open connection
   */
  async connect(
    port: number = this.ports[0] as number,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<Duplex> {
    checkOptions(options, connectFields);
    checkSignal(options.signal, "signal");
    this.#check("port", port);
    const link = this.#link(options.signal);
    try {
      link.signal.throwIfAborted();
      const stream = await this.#sessions.open(port, link.signal);
      // An error of a stream without a listener must not end the process.
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
   * Listens on a local port, by default on the loopback address only, and forwards every connection to the pod. If a connection
   * fails, the listener emits `connectionError` and continues, also while the pod's server is down.
   *
   * @throws InvalidInputError if the local port or path cannot be listened on
   */
  async listen(options: ListenOptions = {}): Promise<PortForwardListener> {
    checkOptions(options, listenFields);
    checkSignal(options.signal, "signal");
    const remotePort = options.remotePort ?? (this.ports[0] as number);
    this.#check("remotePort", remotePort);
    const link = this.#link(options.signal);
    try {
      const listener = await PortForwardListener.start(
        createServer({ allowHalfOpen: true, pauseOnConnect: true }),
        (signal: AbortSignal) => this.connect(remotePort, { signal }),
        { ...options, remotePort, signal: link.signal, origin: this.#origin },
      );
      this.#listeners.add(listener);
      listener.once("close", () => {
        link.unlink();
        this.#listeners.delete(listener);
        this.#sessions.endIdle();
      });
      return listener;
    } catch (error) {
      link.unlink();
      throw error;
    }
  }

  /** Closes all connections and listeners, and cancels those that are being opened. */
  async close(): Promise<void> {
    const listeners = [...this.#listeners].map((listener) => listener.close());
    for (const stream of this.#open) stream.destroy();
    const closed = { ...this.#origin, code: "CLIENT_CLOSED", message: "the port-forward has been closed" } as const;
    this.#stop.abort(new CriError(closed));
    await Promise.all(listeners);
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Combines a signal with all signals that end the port-forward. The caller must unlink it, because a port-forward that is never
   * closed would otherwise collect listeners.
   */
  #link(signal: AbortSignal | undefined) {
    const { connection } = this.#context;
    return linkAbort(signal, this.#stop.signal, this.#options.signal ?? connection.signal, ...connection.closing);
  }

  #check(field: string, port: number): void {
    if (this.ports.includes(port)) return;
    throw new InvalidInputError({ field, message: `must be one of ${this.ports.join(", ")}`, value: port });
  }

  /** Opens a session with the runtime. Over SPDY the session also accepts other ports; over WebSocket only this one. */
  #dial(port: number, signal: AbortSignal): Promise<PortForwarding> {
    const { connection } = this.#context;
    const { handshakeTimeoutMs = defaultHandshakeTimeoutMs, timeoutMs } = this.#options;
    const acceptTimeoutMs = Math.min(handshakeTimeoutMs, timeoutMs || Number.POSITIVE_INFINITY);
    const open = () =>
      openSession(
        this.#context,
        "portForward",
        { ...this.#options, signal },
        (o) => portForwardUrl(connection, this.#podSandboxId, [port], o),
        (how) => openPortForward(port, { ...how, acceptTimeoutMs }),
        endOf,
      );
    const subject = compact({ podSandboxId: this.#podSandboxId });
    // The connections of a listener share sessions, and come from anywhere.
    const inBackground = this.#listeners.size > 0;
    const request = { name: "portForward", endpoint: connection.endpoint, subject, signal, inBackground } as const;
    return traceSession(request, open, describeForwarding);
  }
}

function describeForwarding(forwarding: PortForwarding): OpenSession {
  const { transport } = forwarding;
  const connection = transport === "spdy" ? forwarding.connection : forwarding.first;
  const checkLoss = () => {
    if (connection.loss !== undefined) throw connection.loss;
  };
  return { transport, ended: endOf(forwarding).then(checkLoss, checkLoss), traffic: () => connection };
}
