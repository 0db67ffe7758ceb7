import { type Channel, connectivityState } from "@grpc/grpc-js";
import { CriError } from "../errors.js";
import { onAbort } from "../internal/abort.js";
import type { ConnectOptions, DerivedDefaults } from "../options.js";
import {
  type ImageServiceClient,
  ImageServiceDefinition,
  type RuntimeServiceClient,
  RuntimeServiceDefinition,
} from "../proto.js";
import { checkCallOptions, checkTimeout } from "./call-options.js";
import type { Rpc } from "./call-policy.js";
import { createRuntimeChannel } from "./channel.js";
import { type Endpoint, sameEndpoint } from "./endpoint.js";
import { replyDecoding } from "./reply-decoding.js";
import { replyLimits } from "./reply-limits.js";
import { checkRetryPolicy } from "./retry.js";
import { buildStack } from "./stack.js";
import type { RawCallExtension } from "./wire-options.js";

/** What a connection is made from: the user's options with both endpoints parsed. */
export interface ConnectionOptions extends Omit<ConnectOptions, "endpoint" | "imageEndpoint" | "defaults"> {
  defaults?: DerivedDefaults | undefined;
  endpoint: Endpoint;
  imageEndpoint: Endpoint;
}

/** What connections derived from one another share: the channels, how to read from them, and what was learnt about the runtime behind. */
interface Shared {
  readonly runtime: Channel;
  readonly image: Channel;
  /** Both services, with the limits that belong to the channels. */
  readonly services: { readonly runtime: RuntimeServiceDefinition; readonly image: ImageServiceDefinition };
  epoch: number;
  /** RPCs that were answered UNIMPLEMENTED, and in which epoch. */
  readonly missing: Map<Rpc, number>;
  /** What the runtime calls itself, and in which epoch it said so. */
  name: { readonly text: string; readonly epoch: number } | undefined;
}

/**
 * Both services behind the middleware stack, and what has been learnt about the runtime on this connection. Nothing is dialled
 * before the first call; grpc-js reconnects by itself when the runtime comes back.
 */
export class Connection {
  /** The generated stubs. They reject with nice-grpc's `ClientError`; `invoke` turns that into a `CriError`. */
  readonly runtime: RuntimeServiceClient<RawCallExtension>;
  readonly image: ImageServiceClient<RawCallExtension>;
  readonly options: ConnectionOptions;
  /** Aborted, with a `CLIENT_CLOSED` error as the reason, when this connection closes or one that it was derived from. */
  readonly closing: readonly AbortSignal[];
  readonly #shared: Shared;
  readonly #parent: Connection | undefined;
  /** What closing waits for: the work of this connection and of those derived from it. */
  readonly #unfinished = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: ConnectionOptions, parent?: Connection, { outlivesClosing = false } = {}) {
    checkTimeout(options.connectTimeoutMs, "connectTimeoutMs");
    if (options.defaults) checkCallOptions(options.defaults, "defaults.");
    if (options.defaults?.retry) checkRetryPolicy(options.defaults.retry, "defaults.retry");
    this.options = options;
    this.#parent = parent;
    this.#shared = parent ? parent.#shared : openChannels(options);
    // A derived connection ends with its parent, whose channel it uses. It listens to that only while a call is under way.
    this.closing = [this.#closing.signal, ...(outlivesClosing ? [] : (parent?.closing ?? []))];
    // Keeps one listener there for good: calls come and go too fast for each to put one on and take it off.
    onAbort(this.#closing.signal, () => {});
    const stack = (endpoint: string, channel: Channel) =>
      buildStack({
        endpoint,
        defaults: options.defaults,
        middleware: options.middleware,
        attemptMiddleware: options.attemptMiddleware,
        logger: options.logger,
        closing: this.closing,
        beforeAttempt: () => this.#noticeReconnect(channel),
      });
    const { runtime, image, services } = this.#shared;
    this.runtime = stack(this.endpoint, runtime).create(services.runtime, runtime);
    this.image = stack(this.imageEndpoint, image).create(services.image, image);
  }

  /** The runtime's endpoint in its canonical spelling. */
  get endpoint(): string {
    return this.options.endpoint.display;
  }

  /** The image service's endpoint in its canonical spelling. */
  get imageEndpoint(): string {
    return this.options.imageEndpoint.display;
  }

  /** Cancels what has no signal of its own. */
  get signal(): AbortSignal | undefined {
    return this.options.defaults?.signal;
  }

  /** Whether the runtime has answered UNIMPLEMENTED to an RPC on this connection. */
  lacks(rpc: Rpc): boolean {
    return this.#shared.missing.get(rpc) === this.#shared.epoch;
  }

  /** Remembers that the runtime answered UNIMPLEMENTED. */
  rememberMissing(rpc: Rpc): void {
    this.#shared.missing.set(rpc, this.#shared.epoch);
  }

  /** What the runtime calls itself, such as `containerd`, if it has said so on this connection. */
  get runtimeName(): string | undefined {
    const { name, epoch } = this.#shared;
    return name?.epoch === epoch ? name.text : undefined;
  }

  /** Remembers what the runtime calls itself. */
  rememberName(text: string): void {
    this.#shared.name = { text, epoch: this.#shared.epoch };
  }

  /** A connection with other defaults over the same channels. Closing it leaves the channels to their owner. */
  derive(changes: DerivedDefaults): Connection {
    const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    const before = this.options.defaults;
    const defaults = { ...before, ...given };
    if (before?.metadata && changes.metadata) defaults.metadata = { ...before.metadata, ...changes.metadata };
    return new Connection({ ...this.options, defaults }, this);
  }

  /**
   * Does what closing must not cut short, such as killing a command whose session was aborted: {@link close} waits for it, here
   * and on the connections that this one was derived from. The work has to have a time limit of its own, and must not reject.
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

  /** Aborts calls under way, waits for the work of {@link finish}, and closes the channels if they are its own. */
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

  // Counts connections, more or less: what was learnt about a runtime is forgotten once another version may have taken its place.
  // A dropped channel goes idle and stays so until a call wakes it, and every call comes through here first: nothing to watch.
  #noticeReconnect(channel: Channel): void {
    if (channel.getConnectivityState(false) !== connectivityState.READY) this.#shared.epoch++;
  }
}

/** How a call ends that was under way, or begins, when its client closes. Each gets its own: workflows add to their errors. */
export function clientClosed(endpoint: string): CriError {
  return new CriError({ code: "CLIENT_CLOSED", message: "the client has been closed", endpoint });
}

function openChannels(options: ConnectionOptions): Shared {
  const settings = { tls: options.tls, channelOptions: options.channelOptions };
  const runtime = createRuntimeChannel(options.endpoint, settings);
  const one = sameEndpoint(options.imageEndpoint, options.endpoint);
  const image = one ? runtime : createRuntimeChannel(options.imageEndpoint, settings);
  const limits = replyLimits(options.channelOptions);
  const services = {
    runtime: replyDecoding(RuntimeServiceDefinition, limits),
    image: replyDecoding(ImageServiceDefinition, limits),
  };
  return { runtime, image, services, epoch: 0, missing: new Map(), name: undefined };
}
