import { rm } from "node:fs/promises";
import { CriClient } from "../client.js";
import { InvalidInputError } from "../errors.js";
import type { ConnectOptions } from "../options.js";
import type { Container, ContainerEventResponse, Image, PodSandbox } from "../proto.js";
import { type Placement, place, toEndpoint } from "./address.js";
import { CallLog, type RecordedCall } from "./calls.js";
import { Dispatcher } from "./dispatcher.js";
import { RuntimeEngine } from "./engine.js";
import type { FakeRuntimeOptions } from "./fake-options.js";
import {
  type AnyReplyScript,
  type FailOptions,
  type FaultOptions,
  type FaultPhase,
  FaultQueue,
  failure,
  type PendingFault,
  type ReplyScript,
} from "./faults.js";
import { type FakeFlavor, flavorProfile, unimplementedRpcs } from "./flavors.js";
import { checkRpcName, type RpcName, type RpcRequest } from "./rpcs.js";
import { Standstill } from "./standstill.js";
import type { FakeImage } from "./state/images.js";
import { GrpcServer, type ListenAddress } from "./wire/grpc-server.js";

/** How a runtime comes back. */
export interface RestartOptions {
  /** Whether it remembers pods, containers and images. @defaultValue true */
  keepState?: boolean | undefined;
  /**
   * What became of running containers: they went on, as they do under their shims, or they were lost with the node.
   *
   * @defaultValue "running"
   */
  containers?: "running" | "lost" | undefined;
}

/** An event as a test writes it; what is left out is zero or empty. */
export type FakeEvent = Parameters<typeof ContainerEventResponse.fromPartial>[0];

/**
 * A container runtime to test against: a complete CRI v1 server on a real socket, with pods, containers and images that live
 * in memory. No root, no Linux, milliseconds.
 *
 * ```ts
 * await using runtime = await FakeRuntime.start({ images: ["busybox:1.36"] });
 * runtime.failNext("CreateContainer", { code: "UNAVAILABLE" });
 * …
 * expect(runtime.callsOf("CreateContainer")).toHaveLength(2);
 * ```
 *
 * Any number of them run side by side; nothing is shared.
 */
export class FakeRuntime implements AsyncDisposable {
  /** The endpoint for clients: `unix:///…`, or `http://127.0.0.1:…` if TCP was asked for. It survives restarts. */
  readonly endpoint: string;
  /** The runtime that is imitated. */
  readonly flavor: FakeFlavor;
  readonly #engine: RuntimeEngine;
  readonly #server: GrpcServer;
  readonly #placement: Placement;
  readonly #address: ListenAddress;
  readonly #calls: CallLog;
  readonly #faults: FaultQueue;
  readonly #standstill: Standstill;
  #stopped: Promise<void> | undefined;

  private constructor(parts: {
    options: FakeRuntimeOptions;
    engine: RuntimeEngine;
    server: GrpcServer;
    placement: Placement;
    address: ListenAddress;
    calls: CallLog;
    faults: FaultQueue;
    standstill: Standstill;
  }) {
    this.endpoint = toEndpoint(parts.address, parts.options.tls !== undefined);
    this.flavor = parts.engine.flavor.name;
    this.#engine = parts.engine;
    this.#server = parts.server;
    this.#placement = parts.placement;
    this.#address = parts.address;
    this.#calls = parts.calls;
    this.#faults = parts.faults;
    this.#standstill = parts.standstill;
  }

  /** Starts a runtime and resolves once it listens. Owed a {@link stop}, or an `await using`. */
  static async start(options: FakeRuntimeOptions = {}): Promise<FakeRuntime> {
    const flavor = flavorProfile(options.flavor ?? "containerd-2");
    const engine = new RuntimeEngine(flavor, options);
    const calls = new CallLog();
    const faults = new FaultQueue();
    const maxMessageBytes = options.maxMessageBytes ?? flavor.maxMessageBytes;
    const dispatcher = new Dispatcher({
      handlers: () => engine.handlers,
      faults,
      calls,
      unimplemented: unimplementedRpcs(flavor, options.unimplemented ?? [], options.implemented ?? []),
      serveCri: options.serveCri ?? true,
      maxMessageBytes,
    });
    const standstill = new Standstill();
    const server = new GrpcServer({
      onCall: (call) => standstill.pass(() => void dispatcher.handle(call)),
      maxMessageBytes,
      tls: options.tls,
    });
    const placement = await place(options.endpoint);
    try {
      if (options.tls && "path" in placement.address) {
        throw new InvalidInputError({ field: "tls", message: "takes an endpoint of TCP, such as https://127.0.0.1:0" });
      }
      const address = await server.listen(placement.address);
      return new FakeRuntime({ options, engine, server, placement, address, calls, faults, standstill });
    } catch (error) {
      if (placement.ownFolder) await rm(placement.ownFolder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A client of this runtime, verified by `Version`; that call is on record like any other. Owed a `close()` of its own. */
  connect(options: Omit<ConnectOptions, "endpoint" | "imageEndpoint"> = {}): Promise<CriClient> {
    return CriClient.connect({ allowInsecureTcp: true, ...options, endpoint: this.endpoint });
  }

  /** Every call since the start, in the order of arrival; failed, cancelled and unfinished ones too. */
  get calls(): readonly RecordedCall[] {
    return this.#calls.all;
  }

  /** The calls of one RPC. */
  callsOf<N extends RpcName>(rpc: N): RecordedCall<N>[] {
    checkRpcName(rpc);
    return this.#calls.all.filter((call) => call.rpc === rpc) as unknown as RecordedCall<N>[];
  }

  /** Resolves when the next call of an RPC arrives, before anything is done about it. */
  nextCall<N extends RpcName>(rpc: N, match?: (request: RpcRequest<N>) => boolean): Promise<RecordedCall<N>> {
    checkRpcName(rpc);
    const wanted = (call: RecordedCall) => call.rpc === rpc && (match?.(call.request as RpcRequest<N>) ?? true);
    return this.#calls.next(wanted) as Promise<unknown> as Promise<RecordedCall<N>>;
  }

  /** Forgets the calls so far. */
  clearCalls(): void {
    this.#calls.clear();
  }

  /** Makes the next call of an RPC fail. `"*"` means any RPC, here and in the other faults. */
  failNext<N extends RpcName>(rpc: N | "*", options: FailOptions<N>): void {
    this.#faults.add(rpc, failure(options), options);
  }

  /** Makes the next call of an RPC wait. The server's deadline and the client's cancellation cut the wait short. */
  delayNext<N extends RpcName>(rpc: N | "*", ms: number, options: FaultOptions<N> = {}): void {
    if (!(ms >= 0)) throw new InvalidInputError({ field: "ms", message: "expected a number of 0 or more", value: ms });
    this.#faults.add(rpc, { kind: "delay", ms }, options);
  }

  /** Leaves the next call of an RPC without any answer, past its deadline too, until the client goes away. */
  hangNext<N extends RpcName>(rpc: N | "*", options: FaultOptions<N> = {}): void {
    this.#faults.add(rpc, { kind: "hang" }, options);
  }

  /** Breaks the connection that the next call of an RPC came over; other calls on it fail with it. */
  dropNext<N extends RpcName>(
    rpc: N | "*",
    phase: FaultPhase = "beforeEffect",
    options: Omit<FaultOptions<N>, "phase"> = {},
  ): void {
    this.#faults.add(rpc, { kind: "drop" }, { ...options, phase });
  }

  /**
   * Replaces the reply of the next call of an RPC, or the first message of a stream: by a message (fields left out are empty,
   * so incomplete replies are easily made) or by what a function makes of the real one. The RPC takes effect; if it fails, a
   * message is sent in spite of that and a function is not asked.
   */
  respondNext<N extends RpcName>(rpc: N, reply: ReplyScript<N>, options: Omit<FaultOptions<N>, "phase"> = {}): void {
    this.#faults.add(rpc, { kind: "respond", reply: reply as AnyReplyScript }, { ...options, phase: "afterEffect" });
  }

  /** Faults that wait for a call yet. Empty at the end of a test in which everything happened that was planned. */
  get pendingFaults(): readonly PendingFault[] {
    return this.#faults.pending;
  }

  /** Drops all faults that wait for a call. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /** Sends an event to the subscribers of GetContainerEvents, whether or not it is true. */
  emit(event: FakeEvent): void {
    this.#engine.state.events.emit(event);
  }

  /** How many clients listen to events. */
  get eventSubscribers(): number {
    return this.#engine.state.events.subscriberCount;
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#server.connectionCount;
  }

  /** What is on the runtime, without a call: pod sandboxes in the order of their creation. */
  get pods(): PodSandbox[] {
    return this.#engine.pods;
  }

  /** Containers in the order of their creation. */
  get containers(): Container[] {
    return this.#engine.containers;
  }

  /** Images in the order of their arrival. */
  get images(): Image[] {
    return this.#engine.images;
  }

  /** Puts an image onto the runtime, as if it had been pulled. */
  addImage(image: string | FakeImage): void {
    this.#engine.state.images.add(typeof image === "string" ? { reference: image } : image);
  }

  /** Breaks all connections; new ones are welcome. */
  disconnectClients(): void {
    this.#server.disconnectAll();
  }

  /**
   * Stands still like a process that was stopped: connections are taken, and calls wait until {@link thaw}, past their deadlines too. They
   * are recorded then. Containers run on.
   */
  freeze(): void {
    this.#standstill.begin();
  }

  /** Goes on after {@link freeze}. */
  thaw(): void {
    this.#standstill.end();
  }

  /**
   * Ends like a killed process: connections break, calls and sessions in progress stop where they are, the socket file stays. Containers
   * run on. {@link restart} brings the runtime back.
   */
  async kill(): Promise<void> {
    await this.#server.kill();
    this.thaw();
    await this.#engine.disconnect();
  }

  /** Kills the runtime, if it is up, and starts it again on the same endpoint. */
  async restart({ keepState = true, containers = "running" }: RestartOptions = {}): Promise<void> {
    if (this.#stopped) throw new InvalidInputError({ field: "restart", message: "the runtime was stopped" });
    await this.kill();
    this.#engine.restart(keepState, containers);
    await this.#server.listen(this.#address);
  }

  /** Stops for good: nothing is left of it, no socket, no timer, no file. Repeating it does nothing. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    await this.#server.close();
    this.thaw();
    await this.#engine.stop();
    const { ownFolder } = this.#placement;
    if (ownFolder) await rm(ownFolder, { recursive: true, force: true });
    else if ("path" in this.#address) await rm(this.#address.path, { force: true });
  }
}
