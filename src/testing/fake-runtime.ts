import { CriClient } from "../client.js";
import { InvalidInputError } from "../errors.js";
import type { ConnectOptions } from "../options.js";
import type { Container, Image, PodSandbox } from "../proto.js";
import { CallLog, type RecordedCall } from "./calls.js";
import { Dispatcher } from "./dispatcher.js";
import { RuntimeEngine } from "./engine.js";
import type { FakeEvent, FakeRuntimeOptions, RestartOptions } from "./fake-options.js";
import { Chaos, type ChaosOptions } from "./faults/chaos.js";
import {
  type AnyReplyScript,
  checkMs,
  type FailOptions,
  type FaultOptions,
  type FaultPhase,
  failure,
  type OversizeOptions,
  oversize,
  type PendingFault,
  type ReplyFaultOptions,
  type ReplyScript,
  type SlowOptions,
  slowness,
} from "./faults/fault.js";
import { FaultQueue } from "./faults/queue.js";
import type { FakeFlavor } from "./flavors/profile.js";
import { flavorProfile, unimplementedRpcs } from "./flavors.js";
import { checkRpcName, type RpcName, type RpcRequest } from "./rpcs.js";
import { RuntimeProcess } from "./runtime-process.js";
import type { FakeImage } from "./state/images.js";
import { VirtualClock } from "./state/virtual-clock.js";
import type { IncomingCall } from "./wire/incoming-call.js";

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
  readonly #process: RuntimeProcess;
  readonly #engine: RuntimeEngine;
  readonly #calls: CallLog;
  readonly #faults: FaultQueue;

  private constructor(process: RuntimeProcess, engine: RuntimeEngine, calls: CallLog, faults: FaultQueue) {
    this.endpoint = process.endpoint;
    this.flavor = engine.flavor.name;
    this.#process = process;
    this.#engine = engine;
    this.#calls = calls;
    this.#faults = faults;
  }

  /** Starts a runtime and resolves once it listens. Owed a {@link stop}, or an `await using`. */
  static async start(options: FakeRuntimeOptions = {}): Promise<FakeRuntime> {
    const profile = flavorProfile(options.flavor ?? "containerd-2");
    const flavor = {
      ...profile,
      runtimeVersion: options.version?.runtimeVersion ?? profile.runtimeVersion,
      imagesDirectory: options.mountpoint ?? profile.imagesDirectory,
    };
    const engine = new RuntimeEngine(flavor, options);
    const calls = new CallLog();
    const faults = new FaultQueue();
    const maxMessageBytes = options.maxMessageBytes ?? flavor.maxMessageBytes;
    const dispatcher = new Dispatcher({
      handlers: () => engine.handlers,
      faults,
      clock: engine.clock,
      calls,
      unimplemented: unimplementedRpcs(flavor, options.unimplemented ?? [], options.implemented ?? []),
      serveCri: options.serveCri ?? true,
      maxMessageBytes,
    });
    const { endpoint, tls, allowRemoteShell = false } = options;
    const localOnly = options.backend?.runsOnHost === true && !allowRemoteShell;
    const onCall = (call: IncomingCall) => void dispatcher.handle(call);
    const process = await RuntimeProcess.start(engine, { endpoint, localOnly, tls, maxMessageBytes, onCall });
    return new FakeRuntime(process, engine, calls, faults);
  }

  /** A client of this runtime, verified by `Version`; that call is on record like any other. Owed a `close()` of its own. */
  connect(options: Omit<ConnectOptions, "endpoint" | "imageEndpoint"> = {}): Promise<CriClient> {
    return CriClient.connect({
      allowInsecureTcp: !this.endpoint.startsWith("https:"),
      ...options,
      endpoint: this.endpoint,
    });
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
    this.#faults.add(rpc, { kind: "delay", ms: ms === Infinity ? ms : checkMs(ms, "ms") }, options);
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
   * so incomplete replies are easily made), by bytes that are sent as the message whether or not they are one, or by what a
   * function makes of the real one. The RPC takes effect; if it fails, a message is sent in spite of that and a function is not asked.
   */
  respondNext<N extends RpcName>(rpc: N, reply: ReplyScript<N>, options: ReplyFaultOptions<N> = {}): void {
    this.#faults.add(rpc, { kind: "respond", reply: reply as AnyReplyScript }, { ...options, phase: "afterEffect" });
  }

  /**
   * Has the answer to the next call of an RPC (of a stream, each message) arrive in small pieces. The server's deadline and the
   * client's cancellation cut it short.
   */
  slowNext<N extends RpcName>(rpc: N | "*", options: SlowOptions<N> = {}): void {
    this.#faults.add(rpc, slowness(options), { ...options, phase: "afterEffect" });
  }

  /**
   * Makes the reply to the next call of an RPC, or the first message of a stream, larger than clients take: the true reply, with a
   * field that no client knows. The runtime's own limit does not count.
   */
  oversizeNext<N extends RpcName>(rpc: N | "*", options: OversizeOptions<N> = {}): void {
    this.#faults.add(rpc, oversize(options), { ...options, phase: "afterEffect" });
  }

  /** Faults that wait for a call yet. Empty at the end of a test in which everything happened that was planned. */
  get pendingFaults(): readonly PendingFault[] {
    return this.#faults.pending;
  }

  /** Drops all faults that wait for a call. Chaos goes on. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * Strikes calls by chance from now on, until the chaos is stopped or disposed of. Calls for which there is a fault that was asked
   * for by name (`failNext` and the like) are left to that.
   *
   * ```ts
   * await using chaos = runtime.startChaos({ seed: process.env.CHAOS_SEED, rate: 0.3 });
   * console.log(`CHAOS_SEED=${chaos.seed}`);
   * ```
   */
  startChaos(options: ChaosOptions = {}): Chaos {
    this.#process.checkRunning("startChaos");
    if (this.#faults.chaos?.active) {
      throw new InvalidInputError({ field: "startChaos", message: "there is chaos already: stop that first" });
    }
    const chaos = new Chaos(options, async (awayMs, signal) => {
      await this.kill();
      await this.#engine.clock.sleep(awayMs, signal).catch(() => {});
      if (!this.#process.isStopped) await this.restart();
    });
    this.#faults.chaos = chaos;
    return chaos;
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
    return this.#process.connectionCount;
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

  /**
   * Lets virtual time pass, and resolves when everything that was due by then has happened, in the order of its time. What a call
   * waits for can only be due once that call has arrived:
   *
   * ```ts
   * const stopping = container.stop({ gracePeriodSeconds: 30 });
   * await runtime.nextCall("StopContainer");
   * await runtime.advanceTime(30_000);
   * await stopping;
   * ```
   *
   * Rejects unless the runtime was started with `time: "virtual"`.
   */
  async advanceTime(ms: number): Promise<void> {
    const { clock } = this.#engine;
    if (!(clock instanceof VirtualClock)) {
      throw new InvalidInputError({ field: "time", message: 'advanceTime takes a runtime with time: "virtual"' });
    }
    await clock.advance(checkMs(ms, "ms"));
  }

  /** Breaks all connections; new ones are welcome. */
  disconnectClients(): void {
    this.#process.disconnectClients();
  }

  /**
   * Stands still like a process that was stopped: connections are taken, and calls wait until {@link thaw}, past their deadlines too. They
   * are recorded then. Containers run on.
   */
  freeze(): void {
    this.#process.freeze();
  }

  /** Goes on after {@link freeze}. */
  thaw(): void {
    this.#process.thaw();
  }

  /**
   * Ends like a killed process: connections break, calls and sessions in progress stop where they are, the socket file stays. Containers
   * run on. {@link restart} brings the runtime back.
   */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Kills the runtime, if it is up, and starts it again on the same endpoint. */
  restart(options: RestartOptions = {}): Promise<void> {
    return this.#process.restart(options);
  }

  /** Stops for good: nothing is left of it, no socket, no timer, no file. Repeating it does nothing. */
  async stop(): Promise<void> {
    const stopped = this.#process.stop();
    await this.#faults.chaos?.stop();
    await stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
