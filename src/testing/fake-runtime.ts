import { CriClient } from "../client.js";
import { InvalidInputError } from "../errors.js";
import { checkOptions } from "../input/call-options.js";
import { checkConnectOptions } from "../input/connect-options.js";
import type { ConnectOptions } from "../options.js";
import type { Container, Image, PodSandbox } from "../proto.js";
import { CallLog, type RecordedCall } from "./calls.js";
import { Dispatcher } from "./dispatcher.js";
import { RuntimeEngine } from "./engine.js";
import {
  checkFakeOptions,
  type FakeEvent,
  type FakeRuntimeOptions,
  type RestartOptions,
  restartFields,
} from "./fake-options.js";
import { Chaos, type ChaosOptions } from "./faults/chaos.js";
import {
  type AnyReplyScript,
  checkMs,
  type FailOptions,
  type FaultOptions,
  type FaultPhase,
  failFields,
  failure,
  faultFields,
  type OversizeOptions,
  oversize,
  oversizeFields,
  type PendingFault,
  type ReplyFaultOptions,
  type ReplyScript,
  replyFaultFields,
  type SlowOptions,
  slowFields,
  slowness,
} from "./faults/fault.js";
import { FaultQueue } from "./faults/queue.js";
import type { FakeFlavor } from "./flavors/profile.js";
import { flavorProfile, unimplementedRpcs } from "./flavors.js";
import { checkRpcName, type RpcName, type RpcRequest } from "./rpcs.js";
import { RuntimeProcess } from "./runtime-process.js";
import { checkFakeImage, type FakeImage } from "./state/images.js";
import { VirtualClock } from "./state/virtual-clock.js";
import type { IncomingCall } from "./wire/incoming-call.js";

/**
 * A container runtime for tests: a complete CRI v1 server on a real socket, with pods, containers and images in memory. It needs
 * neither root nor Linux, and starts within milliseconds.
 *
 * ```ts
 * await using runtime = await FakeRuntime.start({ images: ["busybox:1.37"] });
 * await using cri = await runtime.connect();
 * runtime.failNext("ListPodSandbox", { code: "UNAVAILABLE" });
 * await cri.pods.list(); // the client retries the call
 * assert.equal(runtime.callsOf("ListPodSandbox").length, 2);
 * ```
 *
 * Any number of fake runtimes can run at once; they share nothing.
 */
export class FakeRuntime implements AsyncDisposable {
  /** The endpoint for clients: `unix:///…`, or `http://127.0.0.1:…` for TCP. Restarts keep it. */
  readonly endpoint: string;
  /** The runtime that this fake imitates. */
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

  /**
   * Starts a runtime. Resolves once it listens. Call {@link stop} or use `await using` to clean up.
   *
   * @throws InvalidInputError for options that cannot be used
   */
  static async start(options: FakeRuntimeOptions = {}): Promise<FakeRuntime> {
    checkFakeOptions(options);
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

  /** Connects a client to this runtime. Its `Version` call is recorded like any other. Close the client when you are done. */
  async connect(options: Omit<ConnectOptions, "endpoint" | "imageEndpoint"> = {}): Promise<CriClient> {
    checkConnectOptions(options);
    return CriClient.connect({
      allowInsecureTcp: !this.endpoint.startsWith("https:"),
      ...options,
      endpoint: this.endpoint,
    });
  }

  /** All calls since the start, in the order of arrival, including failed, cancelled and unfinished ones. */
  get calls(): readonly RecordedCall[] {
    return this.#calls.all;
  }

  /** Returns the calls of one RPC. */
  callsOf<N extends RpcName>(rpc: N): RecordedCall<N>[] {
    checkRpcName(rpc);
    return this.#calls.all.filter((call) => call.rpc === rpc) as unknown as RecordedCall<N>[];
  }

  /** Resolves when the next call of an RPC arrives, before the runtime handles it. */
  nextCall<N extends RpcName>(rpc: N, match?: (request: RpcRequest<N>) => boolean): Promise<RecordedCall<N>> {
    checkRpcName(rpc);
    const wanted = (call: RecordedCall) => call.rpc === rpc && (match?.(call.request as RpcRequest<N>) ?? true);
    return this.#calls.next(wanted) as Promise<unknown> as Promise<RecordedCall<N>>;
  }

  /** Clears the recorded calls. */
  clearCalls(): void {
    this.#calls.clear();
  }

  /** Makes the next call of an RPC fail. `"*"` means any RPC, here and for the other faults. */
  failNext<N extends RpcName>(rpc: N | "*", options: FailOptions<N>): void {
    checkOptions(options, failFields);
    // Plain JavaScript may leave the options out.
    const given = options ?? ({} as FailOptions<N>);
    this.#faults.add(rpc, failure(given), given);
  }

  /** Delays the next call of an RPC. The deadline and the client's cancellation end the delay early. */
  delayNext<N extends RpcName>(rpc: N | "*", ms: number, options: FaultOptions<N> = {}): void {
    checkOptions(options, faultFields);
    this.#faults.add(rpc, { kind: "delay", ms: ms === Infinity ? ms : checkMs(ms, "ms") }, options);
  }

  /** Leaves the next call of an RPC without a reply until the client cancels it or disconnects, even after its deadline. */
  hangNext<N extends RpcName>(rpc: N | "*", options: FaultOptions<N> = {}): void {
    checkOptions(options, faultFields);
    this.#faults.add(rpc, { kind: "hang" }, options);
  }

  /** Breaks the connection of the next call of an RPC. Other calls on the same connection fail, too. */
  dropNext<N extends RpcName>(
    rpc: N | "*",
    phase: FaultPhase = "beforeEffect",
    options: Omit<FaultOptions<N>, "phase"> = {},
  ): void {
    checkOptions(options, replyFaultFields);
    this.#faults.add(rpc, { kind: "drop" }, { ...options, phase });
  }

  /**
   * Replaces the reply to the next call of an RPC, or the first message of a stream, with one of:
   *
   * - a message, whose omitted fields are empty, so that you can send incomplete replies;
   * - bytes, which are sent as they are, valid or not;
   * - the result of a function of the real reply.
   *
   * The RPC still takes effect. If the RPC fails, a message or bytes are still sent, and a function is not called.
   */
  respondNext<N extends RpcName>(rpc: N, reply: ReplyScript<N>, options: ReplyFaultOptions<N> = {}): void {
    checkOptions(options, replyFaultFields);
    this.#faults.add(rpc, { kind: "respond", reply: reply as AnyReplyScript }, { ...options, phase: "afterEffect" });
  }

  /**
   * Sends the reply to the next call of an RPC (of a stream, each message) in small pieces. The deadline and the client's
   * cancellation end it early.
   */
  slowNext<N extends RpcName>(rpc: N | "*", options: SlowOptions<N> = {}): void {
    checkOptions(options, slowFields);
    this.#faults.add(rpc, slowness(options), { ...options, phase: "afterEffect" });
  }

  /**
   * Makes the reply to the next call of an RPC, or the first message of a stream, larger than clients accept. Adds an unknown
   * field to the real reply. The runtime's own limit does not apply.
   */
  oversizeNext<N extends RpcName>(rpc: N | "*", options: OversizeOptions<N> = {}): void {
    checkOptions(options, oversizeFields);
    this.#faults.add(rpc, oversize(options), { ...options, phase: "afterEffect" });
  }

  /** Faults that have not been injected yet. This list is empty at the end of a test in which all planned faults happened. */
  get pendingFaults(): readonly PendingFault[] {
    return this.#faults.pending;
  }

  /** Removes all pending faults. Chaos continues. */
  clearFaults(): void {
    this.#faults.clear();
  }

  /**
   * Injects random faults into calls until the chaos is stopped or disposed of. A call with a pending fault (from `failNext` and
   * the like) gets that fault instead.
   *
   * ```ts
   * await using chaos = runtime.startChaos({ seed: process.env.CHAOS_SEED, rate: 0.3 });
   * console.log(`CHAOS_SEED=${chaos.seed}`);
   * ```
   *
   * @throws InvalidInputError while other chaos is active, or after the runtime was stopped
   */
  startChaos(options: ChaosOptions = {}): Chaos {
    this.#process.checkRunning("startChaos");
    if (this.#faults.chaos?.active) {
      throw new InvalidInputError({ field: "startChaos", message: "chaos is already active; stop it first" });
    }
    const chaos = new Chaos(options, async (downMs, signal) => {
      await this.kill();
      await this.#engine.clock.sleep(downMs, signal).catch(() => {});
      if (!this.#process.isStopped) await this.restart();
    });
    this.#faults.chaos = chaos;
    return chaos;
  }

  /** Sends an event to the subscribers of GetContainerEvents. It need not match the state of the runtime. */
  emit(event: FakeEvent): void {
    this.#engine.state.events.emit(event);
  }

  /** The number of clients that are subscribed to events. */
  get eventSubscribers(): number {
    return this.#engine.state.events.subscriberCount;
  }

  /** The number of open connections. */
  get connectionCount(): number {
    return this.#process.connectionCount;
  }

  /** Pod sandboxes in the order of their creation. Reading them makes no call. */
  get pods(): PodSandbox[] {
    return this.#engine.pods;
  }

  /** Containers in the order of their creation. */
  get containers(): Container[] {
    return this.#engine.containers;
  }

  /** Images in the order in which they were added. */
  get images(): Image[] {
    return this.#engine.images;
  }

  /** Adds an image to the runtime, as if it had been pulled. */
  addImage(image: string | FakeImage): void {
    checkFakeImage(image, "image");
    this.#engine.state.images.add(typeof image === "string" ? { reference: image } : image);
  }

  /**
   * Advances virtual time. Timers fire in the order of their time; resolves when all of them have fired. A call starts its timers
   * when it arrives, so wait for the call first:
   *
   * ```ts
   * await using runtime = await FakeRuntime.start({ time: "virtual" });
   * await using cri = await runtime.connect();
   * await using pod = await cri.pods.run({ name: "demo" });
   * const container = await pod.runContainer({ name: "main", image: "busybox:1.37" });
   *
   * const stopping = container.stop({ gracePeriodSeconds: 30 });
   * await runtime.nextCall("StopContainer");
   * await runtime.advanceTime(30_000);
   * await stopping;
   * ```
   *
   * @throws InvalidInputError unless the runtime was started with `time: "virtual"`
   */
  async advanceTime(ms: number): Promise<void> {
    const { clock } = this.#engine;
    if (!(clock instanceof VirtualClock)) {
      throw new InvalidInputError({ field: "time", message: 'advanceTime requires a runtime with time: "virtual"' });
    }
    await clock.advance(checkMs(ms, "ms"));
  }

  /** Breaks all connections. Clients can connect again. */
  disconnectClients(): void {
    this.#process.disconnectClients();
  }

  /**
   * Freezes the runtime like a process stopped by SIGSTOP. The runtime still accepts connections, but calls wait until
   * {@link thaw}, even past their deadlines. They are recorded only then. Containers continue to run.
   */
  freeze(): void {
    this.#process.freeze();
  }

  /** Ends {@link freeze}: the runtime handles the calls that wait. */
  thaw(): void {
    this.#process.thaw();
  }

  /**
   * Kills the runtime like a process: connections break, calls and sessions in progress stop, and the socket file stays.
   * Containers continue to run. {@link restart} starts the runtime again.
   */
  kill(): Promise<void> {
    return this.#process.kill();
  }

  /** Kills the runtime if it is running, and starts it again on the same endpoint. */
  async restart(options: RestartOptions = {}): Promise<void> {
    checkOptions(options, restartFields);
    return this.#process.restart(options);
  }

  /** Stops the runtime and removes its sockets, timers and files. Calling it again does nothing. */
  async stop(): Promise<void> {
    const stopped = this.#process.stop();
    await this.#faults.chaos?.stop();
    await stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
