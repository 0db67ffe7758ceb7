import { type Channel, connectivityState } from "@grpc/grpc-js";
import { CriError } from "../errors.js";
import { checkCallOptions, checkTimeout } from "../input/call-options.js";
import { onAbort } from "../internal/abort.js";
import type { ConnectOptions, DerivedDefaults } from "../options.js";
import {
  type ImageServiceClient,
  ImageServiceDefinition,
  type RuntimeServiceClient,
  RuntimeServiceDefinition,
} from "../proto.js";
import { startDebugLog } from "../tracing/debug-log.js";
import type { Rpc } from "./call-policy.js";
import { createRuntimeChannel } from "./channel.js";
import { type Endpoint, sameEndpoint } from "./endpoint.js";
import { replyDecoding } from "./reply-decoding.js";
import { replyLimits } from "./reply-limits.js";
import { buildStack } from "./stack.js";
import { type SendUnary, unarySender } from "./unary-call.js";
import type { RawCallExtension } from "./wire-options.js";

/** The user's options with both endpoints parsed. */
export interface ConnectionOptions extends Omit<ConnectOptions, "endpoint" | "imageEndpoint" | "defaults"> {
  defaults?: DerivedDefaults | undefined;
  endpoint: Endpoint;
  imageEndpoint: Endpoint;
}

/** The state that a connection shares with those derived from it: the channels, and facts about the runtime. */
interface Shared {
  readonly runtime: Channel;
  readonly image: Channel;
  /** Both services, with decoders that apply the limits of the channels. */
  readonly services: { readonly runtime: RuntimeServiceDefinition; readonly image: ImageServiceDefinition };
  /** The functions that send the unary calls of both services. */
  readonly senders: { readonly runtime: SendUnary; readonly image: SendUnary };
  /** Increases whenever another runtime may answer, such as after a reconnect. Facts from earlier epochs no longer apply. */
  epoch: number;
  /** The RPCs that the runtime answered with UNIMPLEMENTED, with the epoch. */
  readonly missing: Map<Rpc, number>;
  /** The runtime's name from its reply to Version, with the epoch. */
  name: { readonly value: string; readonly epoch: number } | undefined;
}

/**
 * Holds the stubs of both services behind the middleware stack, and facts about the runtime. It connects on the first call.
 * grpc-js reconnects after the runtime restarts.
 */
export class Connection {
  /** The generated stubs. They reject with nice-grpc's `ClientError`, which `invoke` converts to a `CriError`. */
  readonly runtime: RuntimeServiceClient<RawCallExtension>;
  readonly image: ImageServiceClient<RawCallExtension>;
  readonly options: ConnectionOptions;
  /** Signals that abort with a `CLIENT_CLOSED` error when this connection, or one that it was derived from, closes. */
  readonly closing: readonly AbortSignal[];
  readonly #shared: Shared;
  readonly #parent: Connection | undefined;
  /** The work of this connection and of those derived from it, which {@link close} waits for. */
  readonly #unfinished = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions, parent?: Connection, { outlivesClosing = false } = {}) {
    checkTimeout(options.connectTimeoutMs, "connectTimeoutMs");
    if (options.defaults) checkCallOptions(options.defaults, "defaults.");
    this.options = options;
    this.#parent = parent;
    this.#shared = parent ? parent.#shared : openChannels(options);
    // A derived connection uses the channel of its parent, so it closes with the parent. It listens to these signals only during
    // a call.
    this.closing = [this.#closing.signal, ...(outlivesClosing ? [] : (parent?.closing ?? []))];
    // Keeps one permanent callback, so that `onAbort` does not add and remove its event listener with every call.
    onAbort(this.#closing.signal, () => {});
    startDebugLog();
    const stack = (endpoint: string, channel: Channel, send: SendUnary) =>
      buildStack({
        endpoint,
        send,
        defaults: options.defaults,
        middleware: options.middleware,
        attemptMiddleware: options.attemptMiddleware,
        logger: options.logger,
        closing: this.closing,
        beforeAttempt: () => this.#detectReconnect(channel),
      });
    const { runtime, image, services, senders } = this.#shared;
    this.runtime = stack(this.endpoint, runtime, senders.runtime).create(services.runtime, runtime);
    this.image = stack(this.imageEndpoint, image, senders.image).create(services.image, image);
  }

  /** The runtime's endpoint in its canonical spelling. */
  get endpoint(): string {
    return this.options.endpoint.display;
  }

  /** The image service's endpoint in its canonical spelling. */
  get imageEndpoint(): string {
    return this.options.imageEndpoint.display;
  }

  /** The default signal, which cancels calls that set no signal. */
  get signal(): AbortSignal | undefined {
    return this.options.defaults?.signal;
  }

  /** An object that this connection has in common with those derived from it, and with no others: a key for their shared facts. */
  get sharedKey(): object {
    return this.#shared;
  }

  /** Returns whether the runtime has answered UNIMPLEMENTED to an RPC on this connection. */
  lacks(rpc: Rpc): boolean {
    return this.#shared.missing.get(rpc) === this.#shared.epoch;
  }

  rememberMissing(rpc: Rpc): void {
    this.#shared.missing.set(rpc, this.#shared.epoch);
  }

  /** The name of the runtime, such as `containerd`, if it has answered Version on this connection. */
  get runtimeName(): string | undefined {
    const { name, epoch } = this.#shared;
    return name?.epoch === epoch ? name.value : undefined;
  }

  rememberName(value: string): void {
    this.#shared.name = { value, epoch: this.#shared.epoch };
  }

  /** Creates a connection with other defaults that uses the same channels. Closing it does not close the channels. */
  derive(changes: DerivedDefaults): Connection {
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const before = this.options.defaults;
    const defaults = { ...before, ...given };
    if (before?.metadata && changes.metadata) defaults.metadata = { ...before.metadata, ...changes.metadata };
    return new Connection({ ...this.options, defaults }, this);
  }

  /**
   * Runs work that {@link close} waits for, here and on the connections that this one was derived from. An example is killing the
   * command of an aborted session. The work must have its own time limit, and must not reject.
   */
  finish(work: (connection: Connection) => Promise<void>): void {
    const options = { ...this.options, defaults: { ...this.options.defaults, signal: undefined } };
    this.#awaitOnClose(work(new Connection(options, this, { outlivesClosing: true })));
  }

  #awaitOnClose(work: Promise<void>): void {
    const running = work.finally(() => this.#unfinished.delete(running));
    this.#unfinished.add(running);
    if (this.#parent !== undefined) this.#parent.#awaitOnClose(running);
  }

  /**
   * Aborts the calls in progress, waits for the work of {@link finish}, and closes the channels if this connection opened them.
   */
  async close(): Promise<void> {
    this.#end();
    while (this.#unfinished.size > 0) await Promise.all(this.#unfinished);
    if (this.#parent !== undefined) return;
    this.#shared.runtime.close();
    if (this.#shared.image !== this.#shared.runtime) this.#shared.image.close();
  }

  #end(): void {
    this.#closing.abort(clientClosed(this.endpoint));
  }

  // Another version of the runtime may answer after a reconnect. A dropped channel stays idle until the next call, and every call
  // begins here, so no listener is needed.
  #detectReconnect(channel: Channel): void {
    if (channel.getConnectivityState(false) !== connectivityState.READY) this.#shared.epoch++;
  }
}

/** Creates the error of a call on a closed client. Each call gets an error of its own, because workflows add to their errors. */
export function clientClosed(endpoint: string): CriError {
  return new CriError({ code: "CLIENT_CLOSED", message: "the client has been closed", endpoint });
}

function openChannels(options: ConnectionOptions): Shared {
  const settings = { tls: options.tls, channelOptions: options.channelOptions, readsChunks: true };
  const runtime = createRuntimeChannel(options.endpoint, settings);
  const isShared = sameEndpoint(options.imageEndpoint, options.endpoint);
  const image = isShared ? runtime : createRuntimeChannel(options.imageEndpoint, settings);
  const limits = replyLimits(options.channelOptions);
  const services = {
    runtime: replyDecoding(RuntimeServiceDefinition, limits),
    image: replyDecoding(ImageServiceDefinition, limits),
  };
  const senders = { runtime: unarySender(runtime, services.runtime), image: unarySender(image, services.image) };
  return { runtime, image, services, senders, epoch: 0, missing: new Map(), name: undefined };
}
