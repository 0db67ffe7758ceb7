import { stat } from "node:fs/promises";
import { CriError } from "../../errors.js";
import { linkAbort, NoLongerNeeded, onAbort } from "../../internal/abort.js";
import { forEachSettled } from "../../internal/for-each.js";
import { startTimer } from "../../internal/timer.js";
import type { CallOptions } from "../../options.js";
import { NodeView } from "../../resources/watching/view.js";
import { backgroundStep } from "../../tracing/workflow.js";
import { log } from "../../transport/logging.js";
import { podLabels } from "../planning/pod-labels.js";
import { BackOff, retryPauses } from "./back-off.js";
import { startPlanned } from "./container-starter.js";
import { stopGracefully } from "./container-stopper.js";
import { describePod } from "./describe-pod.js";
import type { ImagePuller } from "./image-puller.js";
import { PodObserver } from "./observe-pod.js";
import { nextAttemptOf, type ObservedPod } from "./observed-pod.js";
import { podActions } from "./pod-actions.js";
import type { PodActions } from "./pod-situation.js";
import type { PodStatus } from "./pod-status.js";
import { podSubject } from "./pod-subject.js";
import { Probers } from "./probers.js";
import { pruneAttempts } from "./prune-attempts.js";
import { RestartDelays } from "./restart-delays.js";
import type { RunnerContext } from "./runner-context.js";
import { SandboxCreator } from "./sandbox-creator.js";
import { messageOf, StartFailure } from "./start-failure.js";
import { stopEverything } from "./stop-pod.js";
import { VolumeLimits } from "./volume-limits.js";
import { Wakeup } from "./wakeup.js";

/** The grace period of a pod that exceeds the limit of a volume; the same as a kubelet's. */
const evictionGraceSeconds = 1;

type StopAllOptions = CallOptions & { signal: AbortSignal; gracePeriodSeconds?: number | undefined };

/**
 * Runs a pod until it is finished or the worker is stopped: observes the pod, decides what it needs next and does that, one step
 * after the other, as the worker of a pod in a kubelet. Changes at the runtime, probes and timers wake it. It keeps no state that
 * the runtime has, so that it also continues what another process left.
 */
export class PodWorker {
  readonly #context: RunnerContext;
  readonly #puller: ImagePuller;
  readonly #changed: () => void;
  readonly #observer: PodObserver;
  readonly #wakeup: Wakeup;
  readonly #probers: Probers;
  readonly #delays: RestartDelays;
  readonly #volumeLimits: VolumeLimits;
  readonly #sandboxes: SandboxCreator;
  readonly #retries = new BackOff(retryPauses);
  readonly #stopping = new AbortController();
  #observed: ObservedPod = { sandboxes: [], containers: [] };
  /** Whether the first pass takes what {@link start} observed. */
  #isFresh = false;
  #startTime: number;
  #pruneAt = 0;
  /** When the last pass began. Times before it were handled by that pass. */
  #passedAt = 0;
  #failure: { reason: string; message: string } | undefined;
  #terminating = false;
  /** The status at the end of the pod. It stays when the containers are removed. */
  #final: PodStatus | undefined;
  #error: { readonly reason: unknown } | undefined;
  #loop: Promise<void> = Promise.resolve();

  /** @param changed is called after each change of the status */
  constructor(context: RunnerContext, puller: ImagePuller, changed: () => void) {
    this.#context = context;
    this.#puller = puller;
    this.#changed = changed;
    this.#observer = new PodObserver(context.client, context.plan);
    this.#wakeup = new Wakeup(context.clock);
    this.#delays = new RestartDelays(context, context.plan);
    this.#volumeLimits = new VolumeLimits(context);
    this.#sandboxes = new SandboxCreator(context, changed);
    this.#startTime = context.clock.now();
    this.#probers = new Probers(context, context.plan, () => {
      this.#wakeup.wake();
      this.#changed();
    });
  }

  /** What the runtime reported last. */
  get observed(): ObservedPod {
    return this.#observed;
  }

  /** Whether the pod has ended by itself, and nothing will be started again. */
  get finished(): boolean {
    return this.#final !== undefined;
  }

  /** Why the worker ended before the pod was finished: the client was closed, or its signal has aborted. */
  get error(): { readonly reason: unknown } | undefined {
    return this.#error;
  }

  /** The addresses of the pod; with the node's network, those of the node. */
  get podIPs(): readonly string[] {
    const { plan } = this.#context;
    return plan.hostNetwork ? plan.node.addresses : (this.#observed.sandboxes[0]?.podIPs ?? []);
  }

  status(): PodStatus {
    return this.#final ?? this.#describe(false);
  }

  #describe(finished: boolean): PodStatus {
    return describePod({
      plan: this.#context.plan,
      observed: this.#observed,
      probes: this.#probers,
      waiting: this.#delays.waiting,
      terminating: this.#terminating,
      finished,
      failure: this.#failure,
      problem: this.#sandboxes.problem,
      hostIPs: this.#context.plan.node.addresses,
      startTime: new Date(this.#startTime),
    });
  }

  /** Reads the state of the pod, and starts the work. @throws CriError if the runtime does not answer */
  async start(options: CallOptions): Promise<void> {
    // The directory is as old as the first run of the pod. Some file systems store no time of birth.
    const directory = await stat(this.#context.plan.podDirectory).catch(() => undefined);
    if (directory?.birthtimeMs) this.#startTime = Math.min(this.#startTime, directory.birthtimeMs);
    this.#observed = await this.#observer.observe(options);
    this.#isFresh = true;
    this.#loop = this.#run().catch((reason: unknown) => this.#end(reason));
  }

  /** Ends the work, without stopping the containers. A step in progress is aborted. */
  async detach(): Promise<void> {
    this.#stopping.abort(new NoLongerNeeded("The pod is no longer run."));
    this.#probers.stopAll();
    await this.#loop;
  }

  /** Ends the work and marks the pod as terminating. */
  async terminate(): Promise<void> {
    this.#terminating = true;
    this.#changed();
    await this.detach();
  }

  /** Reads the state of the pod again, after the end of the work. */
  async refresh(options: CallOptions): Promise<ObservedPod> {
    this.#observed = await this.#observer.observe(options);
    this.#changed();
    return this.#observed;
  }

  /** Marks the pod as finished, after it was stopped and observed. */
  finish(): void {
    this.#final ??= this.#describe(true);
    this.#changed();
  }

  #end(reason: unknown): void {
    this.#error = { reason };
    this.#changed();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { client, plan, clock } = this.#context;
    const { connection } = client;
    const labels = { [podLabels.uid]: plan.uid };
    const names = podSubject(plan);
    await using view = new NodeView(client.watcher, { labels, waitForRuntime: true, signal });
    view.on("change", this.#wakeup.wake);
    void view.closed.then(this.#wakeup.wake);
    using _link = this.#followSignal(connection.signal);
    while (!signal.aborted && !this.finished) {
      try {
        await backgroundStep(connection, "runningPod.sync", names, () => this.#pass({ signal }));
        this.#retries.reset("");
        if (!this.finished) await this.#wakeup.wait(this.#nextAt(), signal);
      } catch (error) {
        if (signal.aborted) break;
        if (CriError.is(error, "CLIENT_CLOSED")) {
          this.#error = { reason: error };
          break;
        }
        const fields = { endpoint: connection.endpoint, pod: plan.pod.metadata.name, error: messageOf(error) };
        log(connection.options.logger, "warn", "a step of running a pod failed; it is tried again", fields);
        const now = clock.now();
        this.#retries.next("", now, now);
        await this.#wakeup.wait(this.#retries.readyAt("", now), signal).catch(() => {});
      }
    }
    this.#probers.stopAll();
    this.#changed();
  }

  /** Ends the work when the signal of the client aborts. */
  #followSignal(signal: AbortSignal | undefined): Disposable {
    const end = () => {
      this.#error = { reason: signal?.reason };
      this.#stopping.abort(signal?.reason);
    };
    if (signal?.aborted) end();
    return { [Symbol.dispose]: signal ? onAbort(signal, end) : () => {} };
  }

  /** Does everything that the pod needs now. */
  async #pass(options: CallOptions & { signal: AbortSignal }): Promise<void> {
    for (let mayContinue = true; mayContinue && !this.finished; ) {
      options.signal.throwIfAborted();
      this.#passedAt = this.#context.clock.now();
      const observed = this.#isFresh ? this.#observed : await this.#observer.observe(options);
      this.#isFresh = false;
      this.#observed = observed;
      this.#probers.sync(observed, this.podIPs);
      this.#changed();
      this.#pruneAt = (await pruneAttempts(this.#context, observed, options)) ?? 0;
      const exceeded = observed.sandboxes.length > 0 ? await this.#volumeLimits.exceeded() : undefined;
      if (this.#deadline() <= this.#context.clock.now()) {
        const message = "Pod was active on the node longer than the specified deadline";
        await this.#fail("DeadlineExceeded", message, options);
      } else if (exceeded !== undefined || this.#failure?.reason === "Evicted") {
        await this.#fail("Evicted", exceeded ?? "", { ...options, gracePeriodSeconds: evictionGraceSeconds });
      } else {
        const actions = podActions({ plan: this.#context.plan, observed, probes: this.#probers });
        mayContinue = await this.#untilDeadline(options, (limited) => this.#perform(actions, limited));
      }
    }
  }

  /** Aborts a step at the deadline of the pod, such as a pull that hangs. Returns true then. */
  async #untilDeadline(options: StopAllOptions, step: (options: StopAllOptions) => Promise<boolean>): Promise<boolean> {
    const leftMs = this.#deadline() - this.#context.clock.now();
    if (leftMs === Number.POSITIVE_INFINITY) return step(options);
    const link = linkAbort(options.signal);
    const expired = new DOMException("The pod has reached its deadline.", "AbortError");
    const stopTimer = startTimer(leftMs, () => link.abort(expired));
    try {
      return await step({ ...options, signal: link.signal });
    } catch (error) {
      if (options.signal.aborted || link.signal.reason !== expired) throw error;
      return true;
    } finally {
      stopTimer();
      link.unlink();
    }
  }

  /** Ends the pod as failed. If that fails, the next pass repeats it. */
  async #fail(reason: "DeadlineExceeded" | "Evicted", message: string, options: StopAllOptions): Promise<void> {
    if (!this.#failure) this.#context.emit(reason, message);
    this.#failure ??= { reason, message };
    await this.#stopAll(options);
    this.#observed = await this.#observer.observe(options);
    this.finish();
  }

  /** Returns whether anything has changed, so that the pod has to be observed again. */
  async #perform(actions: PodActions, options: CallOptions & { signal: AbortSignal }): Promise<boolean> {
    const observed = this.#observed;
    const { emit, clock } = this.#context;
    if (actions.createSandbox && clock.now() < this.#sandboxes.retryAt) return false;
    if (actions.stopPod) {
      if (actions.createSandbox) emit("SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
      await this.#stopAll(options);
      if (!actions.createSandbox) {
        this.#observed = await this.#observer.observe(options);
        this.finish();
        return false;
      }
    }
    if (actions.createSandbox) return this.#sandboxes.create(actions.createSandbox.attempt, options);
    const failures = await forEachSettled(actions.stop, actions.stop.length, async ({ container: stopped, reason }) => {
      this.#probers.stop(stopped.id);
      const container = this.#context.plan.containers.find(({ name }) => name === stopped.name);
      const podGraceSeconds = this.#context.plan.terminationGracePeriodSeconds;
      const request = { observed: stopped, container, podIPs: this.podIPs, podGraceSeconds, reason };
      await stopGracefully(this.#context, { ...request, gracePeriodSeconds: undefined, order: undefined }, options);
    });
    if (failures.length > 0) throw failures[0];
    const sandbox = observed.sandboxes.find(({ id }) => id === actions.sandboxId);
    const stoppedNames = new Set(actions.stop.map(({ container }) => container.name));
    const isStopped = ({ name }: { name: string }) => stoppedNames.has(name);
    // Those that were stopped come first, because the exits before count for their delays.
    const start = [...actions.start.filter(isStopped), ...actions.start.filter((one) => !isStopped(one))];
    for (const container of sandbox ? start : []) {
      if (!this.#delays.mayStart(container, observed)) continue;
      const attempt = nextAttemptOf(observed, container.name);
      const request = { container, attempt, sandbox: sandbox!, podIPs: this.podIPs };
      try {
        await startPlanned(this.#context, this.#puller, request, options);
        this.#delays.started(container.name);
        return true;
      } catch (error) {
        if (!(error instanceof StartFailure)) throw error;
        this.#delays.failed(container.name, error);
        this.#changed();
      }
    }
    return actions.stop.length > 0;
  }

  async #stopAll({ gracePeriodSeconds, ...options }: StopAllOptions): Promise<void> {
    this.#probers.stopAll();
    const { plan, emit } = this.#context;
    const { containers, terminationGracePeriodSeconds: podGraceSeconds } = plan;
    const request = { observed: this.#observed, containers, podIPs: this.podIPs, podGraceSeconds };
    const failures = await stopEverything(this.#context, { ...request, gracePeriodSeconds }, options);
    if (failures.length === 0) return;
    options.signal.throwIfAborted();
    emit("FailedKillPod", `error killing pod: ${messageOf(failures[0])}`);
    throw failures[0];
  }

  #deadline(): number {
    const { activeDeadlineSeconds } = this.#context.plan;
    return activeDeadlineSeconds === undefined
      ? Number.POSITIVE_INFINITY
      : this.#startTime + activeDeadlineSeconds * 1000;
  }

  /** Returns the next time at which something may have to be done without a change at the runtime. */
  #nextAt(): number | undefined {
    const times = [
      this.#deadline(),
      this.#sandboxes.retryAt,
      this.#pruneAt,
      ...this.#delays.retryTimes(),
      this.#volumeLimits.nextAt,
    ].filter((time) => time > this.#passedAt);
    const next = Math.min(...times);
    return Number.isFinite(next) ? next : undefined;
  }
}
