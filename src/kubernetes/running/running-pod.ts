import { inspect } from "node:util";
import { InvalidInputError } from "../../errors.js";
import { callOptionFields, checkOptions, checkSignal, type FieldsOf } from "../../input/call-options.js";
import type { CriStream } from "../../internal/stream.js";
import type { LogStream } from "../../logs/log-stream.js";
import type { CallOptions } from "../../options.js";
import { Container } from "../../resources/container.js";
import { cleanUpOptions, neverAborts } from "../../resources/creation/clean-up.js";
import { disposeTimeoutMs, Ownership } from "../../resources/creation/ownership.js";
import { optionalSeconds } from "../../resources/grace-period.js";
import type { MergedLogBytesEntry, MergedLogEntry } from "../../resources/logs/merged-log-entry.js";
import { type PodLogOptions, podLogFields } from "../../resources/logs/merged-log-options.js";
import { mergedLogs } from "../../resources/logs/merged-logs.js";
import { pinDeadline } from "../../rpcs/budget.js";
import { podLabels } from "../planning/pod-labels.js";
import { withSignal } from "./context-of.js";
import { type PodColumns, podColumns } from "./display-status.js";
import { latestOf } from "./observed-pod.js";
import type { RunningPodEvent } from "./pod-event.js";
import { exitOf, type PodExit } from "./pod-exit.js";
import type { PodRun } from "./pod-run.js";
import type { PodStatus } from "./pod-status.js";
import type { WaitPodOptions } from "./status-watch.js";

/** Options of stopping a running pod. */
export interface StopRunningPodOptions extends CallOptions {
  /**
   * Seconds for `preStop` hooks and between the stop signal and SIGKILL; 0 kills at once.
   *
   * @defaultValue the pod's `terminationGracePeriodSeconds`
   */
  gracePeriodSeconds?: number | undefined;
}

const stopFields: FieldsOf<StopRunningPodOptions> = { gracePeriodSeconds: true, ...callOptionFields };

/**
 * A pod that this program runs from a manifest, as a kubelet would: it starts the containers in their order, restarts them, and
 * runs their probes and hooks, until the handle is disposed of or released.
 *
 * ```ts
 * await using web = await plan.run(cri);
 * await web.ready;
 * ```
 */
export class RunningPod implements AsyncDisposable {
  readonly #run: PodRun;
  readonly #ownership = new Ownership();

  /** @internal */
  constructor(run: PodRun) {
    this.#run = run;
  }

  get name(): string {
    return this.#run.plan.pod.metadata.name;
  }

  get namespace(): string {
    return this.#run.plan.pod.metadata.namespace ?? "default";
  }

  get uid(): string {
    return this.#run.plan.uid;
  }

  /** Whether an earlier run of the same document left the pod, and this one continues it. */
  get adopted(): boolean {
    return this.#run.adopted;
  }

  /**
   * Resolves when the pod is ready for the first time or again; the same as {@link waitReady} without a limit. The containers of a
   * pod whose image does not exist are tried again for ever, as in Kubernetes: use `waitReady({ timeoutMs })` to limit the wait.
   */
  get ready(): Promise<void> {
    const ready = this.waitReady();
    ready.catch(() => {});
    return ready;
  }

  /**
   * Waits until all containers are ready: they run, and their startup and readiness probes pass.
   *
   * @throws CriError `FAILED_PRECONDITION` if the pod has ended, `DEADLINE_EXCEEDED` with the state of its containers at the limit
   */
  async waitReady(options?: WaitPodOptions): Promise<void> {
    await this.#run.until("did not become ready", options, (status) => {
      if (status.conditions.Ready) return true;
      if (exitOf(status)) throw this.#run.error("FAILED_PRECONDITION", "has ended before it was ready");
      return undefined;
    });
  }

  /** Resolves when the pod has ended; the same as {@link wait} without a limit. */
  get exited(): Promise<PodExit> {
    const exited = this.wait();
    exited.catch(() => {});
    return exited;
  }

  /**
   * Waits until the pod has ended: all containers have exited and none will be restarted, or {@link stop} has stopped them.
   *
   * @throws CriError `DEADLINE_EXCEEDED` at the limit
   */
  async wait(options?: WaitPodOptions): Promise<PodExit> {
    return this.#run.until("did not end", options, (status) => (this.#run.isOver ? exitOf(status) : undefined));
  }

  /** Returns the state of the pod and its containers, in the words of the Kubernetes API. */
  status(): PodStatus {
    return this.#run.status();
  }

  /**
   * Streams the state: as it is now, and after each change. Ends when the pod has ended, with its last state, when the handle is
   * disposed of or released, or when the client is closed. A reader that takes longer than the next change misses the states in
   * between, never the last one.
   *
   * ```ts
   * await using web = await plan.run(cri);
   * void report(); // until the pod has ended, or `web` is disposed of
   *
   * async function report() {
   *   for await (const { phase, conditions } of web.statuses()) console.log(phase, conditions.Ready);
   * }
   * ```
   */
  statuses(options: { signal?: AbortSignal | undefined } = {}): CriStream<PodStatus> {
    checkOptions(options, { signal: true });
    checkSignal(options.signal, "signal");
    return this.#run.statuses(options.signal ?? this.#run.client.connection.signal);
  }

  /** Returns the columns of `kubectl get pod`: `1/1`, `Running`, restarts. */
  columns(): PodColumns {
    return podColumns(this.status());
  }

  /** The names of all containers: init containers and sidecars first. */
  get containerNames(): readonly string[] {
    return this.#run.plan.containers.map(({ name }) => name);
  }

  /**
   * Returns a borrowed handle of the current attempt of a container. A restart creates another container: call this again for it.
   *
   * @throws CriError `FAILED_PRECONDITION` if the container has not been created yet
   */
  container(name: string): Container {
    if (!this.containerNames.includes(name)) {
      const known = this.containerNames.map((one) => JSON.stringify(one)).join(", ");
      throw new InvalidInputError({ field: "name", message: `must be one of ${known}`, value: name });
    }
    const latest = latestOf(this.#run.observed, name);
    if (latest) return new Container(this.#run.client, latest.id);
    throw this.#run.error("FAILED_PRECONDITION", `has not created container ${name} yet; wait until it is ready`);
  }

  /**
   * Streams the logs of all containers in the order of their timestamps: of all attempts that still exist, or of the current ones
   * with `tailLines`. All attempts but the last two are removed one minute after their end. With `follow: true`, the stream goes on
   * with each new attempt, and ends when the pod has ended and all logs were read.
   *
   * @throws InvalidInputError for invalid options
   */
  logs(options: PodLogOptions & { encoding: "buffer" }): LogStream<MergedLogBytesEntry>;
  logs(options?: PodLogOptions & { encoding?: "utf8" | undefined }): LogStream<MergedLogEntry>;
  logs(options?: PodLogOptions): LogStream<MergedLogEntry> | LogStream<MergedLogBytesEntry>;
  logs(options?: PodLogOptions): LogStream<MergedLogEntry | MergedLogBytesEntry> {
    checkOptions(options, podLogFields);
    const { container, ...given } = options ?? {};
    // With positions, even none, all attempts are read.
    const rest = given.tailLines === undefined ? { after: {}, ...given } : given;
    return mergedLogs(this.#run.client, { podLabels: { [podLabels.uid]: this.uid }, container }, rest, this.#run.over);
  }

  /**
   * Streams what happens to the pod, as `kubectl describe pod` lists it: begins with the events so far (the latest 1,000), and ends
   * when the handle is disposed of or released, or the client is closed.
   */
  events(options: { signal?: AbortSignal | undefined } = {}): CriStream<RunningPodEvent> {
    checkOptions(options, { signal: true });
    checkSignal(options.signal, "signal");
    return this.#run.events.stream(options.signal ?? this.#run.client.connection.signal);
  }

  /**
   * Stops the pod: runs `preStop` hooks, stops the main containers, then the sidecars in reverse order, then the sandbox. Nothing is
   * restarted. The containers, their logs and the files stay until the handle is disposed of.
   */
  async stop(options: StopRunningPodOptions = {}): Promise<void> {
    checkOptions(options, stopFields);
    const { gracePeriodSeconds, ...callOptions } = pinDeadline(options);
    const seconds = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
    await this.#run.stop(seconds, withSignal(callOptions, this.#run.client));
  }

  /**
   * Ends the work for the pod, and leaves it as it is: containers keep running, but nothing restarts them and no probe runs. The next
   * run of the same document continues. Disposal then does nothing.
   */
  async release(): Promise<void> {
    this.#ownership.release();
    await this.#run.release();
  }

  /**
   * Stops the pod as {@link stop} does, and removes its containers, sandbox, volumes, logs and control group. Calling it again does
   * nothing.
   *
   * Disposal has a time limit of its own, one minute plus the grace period, and retries while the runtime restarts. If a step fails,
   * the others are still done, and disposal rejects; you can then try again. What remains after a crash of this program is removed
   * by the next run of the same document.
   */
  dispose(): Promise<void> {
    return this.#ownership.dispose(async () => {
      const timeoutMs = disposeTimeoutMs + 1_000 * this.#run.plan.terminationGracePeriodSeconds;
      await this.#run.remove({ ...cleanUpOptions(this.#run.client.connection, timeoutMs), signal: neverAborts });
    });
  }

  /** The same as {@link dispose}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Returns the pod's identity and status. */
  toJSON(): { name: string; namespace: string; uid: string; status: PodStatus } {
    return { name: this.name, namespace: this.namespace, uid: this.uid, status: this.status() };
  }

  [inspect.custom](): string {
    const { ready, status, restarts } = this.columns();
    return `RunningPod ${this.namespace}/${this.name} { ${ready} ${status}, restarts: ${restarts} }`;
  }
}
