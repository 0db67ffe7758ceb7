import { CriError, type CriErrorCode } from "../../errors.js";
import { NoLongerNeeded } from "../../internal/abort.js";
import type { CriStream } from "../../internal/stream.js";
import { waitAtMost } from "../../internal/timer.js";
import type { CallOptions } from "../../options.js";
import type { ClientContext } from "../../resources/context.js";
import { inWorkflow } from "../../tracing/workflow.js";
import { lockPod, type PodLock } from "../node/pod-lock.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";
import type { EventLog } from "./event-log.js";
import type { ObservedPod } from "./observed-pod.js";
import type { PodContainerStatus, PodStatus } from "./pod-status.js";
import { podSubject } from "./pod-subject.js";
import type { PodWorker } from "./pod-worker.js";
import { removeEverything } from "./remove-pod.js";
import { removePodFiles } from "./remove-pod-files.js";
import type { RunnerContext } from "./runner-context.js";
import { statusStream } from "./status-stream.js";
import type { StatusWatch, WaitPodOptions } from "./status-watch.js";
import { stopEverything } from "./stop-pod.js";

type StopOptions = CallOptions & { signal: AbortSignal };

/** What a run of a pod consists of. */
export interface PodRunParts {
  readonly context: RunnerContext;
  readonly worker: PodWorker;
  readonly watch: StatusWatch;
  readonly events: EventLog;
  readonly lock: PodLock;
  readonly adopted: boolean;
}

/** The run of a pod behind its handle: the worker, and how it ends. */
export class PodRun {
  readonly #context: RunnerContext;
  readonly #worker: PodWorker;
  readonly #watch: StatusWatch;
  readonly events: EventLog;
  readonly adopted: boolean;
  readonly #over = new AbortController();
  #lock: PodLock | undefined;
  /** Resolves when no {@link stop} is in progress. */
  #stops: Promise<unknown> = Promise.resolve();
  #isRemoving = false;
  /** How this program ended the run; waits that are pending then reject. */
  #end: "stopped" | "released" | "removed" | undefined;

  constructor({ context, worker, watch, events, lock, adopted }: PodRunParts) {
    this.#context = context;
    this.#worker = worker;
    this.#watch = watch;
    this.events = events;
    this.#lock = lock;
    this.adopted = adopted;
    void this.#watch
      .until(
        () => (this.isOver || this.#end || this.#worker.error ? true : undefined),
        () => "",
      )
      .then(() => {
        this.#over.abort(new NoLongerNeeded("The pod has ended."));
        if (this.#worker.error) this.events.close();
      });
  }

  get plan(): PodPlanParts {
    return this.#context.plan;
  }

  get client(): ClientContext {
    return this.#context.client;
  }

  get observed(): ObservedPod {
    return this.#worker.observed;
  }

  /** Whether the pod has ended, and will not be started again. */
  get isOver(): boolean {
    return this.#worker.finished;
  }

  /** Aborts when the pod has ended or is no longer run. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  status(): PodStatus {
    return this.#worker.status();
  }

  /** Streams the status until the pod has ended, or is no longer run. */
  statuses(signal: AbortSignal | undefined): CriStream<PodStatus> {
    const isFinal = () => this.isOver || this.#end !== undefined || this.#worker.error !== undefined;
    return statusStream({ watch: this.#watch, status: () => this.status(), isFinal }, signal);
  }

  /**
   * Waits until the check returns a value.
   *
   * @param failure what the error at the time limit says of the pod
   */
  until<T>(
    failure: string,
    options: WaitPodOptions | undefined,
    check: (status: PodStatus) => T | undefined,
  ): Promise<T> {
    return this.#watch.until(
      () => {
        // The last status of a pod that is no longer run may be out of date.
        if (!this.isOver && this.#worker.error) throw this.#worker.error.reason;
        if (!this.isOver && (this.#end === "released" || this.#end === "removed"))
          throw this.error("CANCELLED", `was ${this.#end}`);
        return check(this.status());
      },
      () => `${this.#describe()} ${failure}`,
      options,
    );
  }

  /** Creates an error about the pod that contains the states of its containers. */
  error(code: CriErrorCode, message: string): CriError {
    const { endpoint } = this.client.connection;
    return new CriError({ code, message: `${this.#describe()} ${message}`, endpoint });
  }

  async stop(gracePeriodSeconds: number | undefined, options: StopOptions): Promise<void> {
    if (this.#end === "released" || this.#end === "removed")
      throw this.error("FAILED_PRECONDITION", `was ${this.#end}`);
    const stop = this.#publish("stop", options, () => this.#stop(gracePeriodSeconds, options));
    this.#stops = Promise.allSettled([this.#stops, stop]);
    await stop;
  }

  async #stop(gracePeriodSeconds: number | undefined, options: StopOptions): Promise<void> {
    await this.#worker.terminate();
    const { containers, terminationGracePeriodSeconds: podGraceSeconds } = this.plan;
    const observed = await this.#worker.refresh(options);
    const request = { observed, containers, podIPs: this.#worker.podIPs, podGraceSeconds, gracePeriodSeconds };
    const failures = await stopEverything(this.#context, request, options);
    await this.#worker.refresh(options);
    throwFirst(failures);
    this.#end ??= "stopped";
    this.#worker.finish();
  }

  async release(): Promise<void> {
    if (this.#isRemoving || (this.#end !== undefined && this.#end !== "stopped")) return;
    await this.#worker.detach();
    await this.#close("released");
  }

  remove(options: StopOptions): Promise<void> {
    return this.#publish("dispose", options, () => this.#remove(options));
  }

  async #remove(options: StopOptions): Promise<void> {
    this.#isRemoving = true;
    try {
      await this.#worker.terminate();
      // A stop in progress runs the hooks.
      await waitAtMost(1_000 * this.plan.terminationGracePeriodSeconds, this.#stops);
      this.#lock ??= await lockPod(this.plan.node, this.#identity());
      const { containers, terminationGracePeriodSeconds: podGraceSeconds } = this.plan;
      const { cgroup, logDirectory, podDirectory } = this.plan;
      const files = { ...this.#identity(), cgroup, logDirectory, podDirectory };
      const request = {
        containers,
        podGraceSeconds,
        gracePeriodSeconds: undefined,
        observe: () => this.#worker.refresh(options),
        removeFiles: () => removePodFiles(files, options.signal),
      };
      throwFirst(await removeEverything(this.#context, request, options));
    } finally {
      this.#isRemoving = false;
      await this.#close("removed");
    }
  }

  async #close(end: "released" | "removed"): Promise<void> {
    this.#end = end;
    this.#watch.changed();
    this.events.close();
    const lock = this.#lock;
    this.#lock = undefined;
    await lock?.release();
  }

  /** Runs a method of the handle, and publishes it. */
  #publish(method: string, { signal }: StopOptions, work: () => Promise<void>): Promise<void> {
    const { endpoint } = this.client.connection;
    return inWorkflow({ endpoint, signal }, { name: `runningPod.${method}`, subject: podSubject(this.plan) }, work);
  }

  #identity(): { namespace: string; name: string } {
    const { name, namespace = "default" } = this.plan.pod.metadata;
    return { namespace, name };
  }

  /** Describes the pod and the containers that do not run: `pod default/web (main: ErrImagePull: …)`. */
  #describe(): string {
    const { namespace, name } = this.#identity();
    const { initContainerStatuses, containerStatuses } = this.status();
    const states = [...initContainerStatuses, ...containerStatuses].filter(({ ready }) => !ready).map(describeState);
    return `pod ${namespace}/${name}${states.length > 0 ? ` (${states.slice(0, 5).join("; ")})` : ""}`;
  }
}

function describeState({ name, state: { waiting, running, terminated } }: PodContainerStatus): string {
  if (running) return `${name}: running, not ready`;
  const { reason, message } = waiting ?? terminated ?? { reason: "unknown", message: undefined };
  return `${name}: ${reason}${message ? `: ${message.slice(0, 300)}` : ""}`;
}

function throwFirst(failures: readonly unknown[]): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  throw others.length > 0 && CriError.is(first) ? first.withSuppressed(others) : first;
}
