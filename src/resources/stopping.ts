import { CriError } from "../errors.js";
import { callOptionFields, type FieldsOf } from "../input/call-options.js";
import { linkAbort } from "../internal/abort.js";
import { forEachSettled } from "../internal/for-each.js";
import type { CallOptions } from "../options.js";
import { type Container, ContainerState } from "../proto.js";
import type { Budget } from "../rpcs/budget.js";
import * as containerCalls from "../rpcs/containers.js";
import * as podCalls from "../rpcs/pods.js";
import { runtimeName } from "../rpcs/runtime.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import { retryWhileBusy } from "./creation/retry-while-busy.js";
import { annotatedGracePeriod, defaultGracePeriodSeconds, withinBudget } from "./grace-period.js";

/*
 * StopPodSandbox, RemovePodSandbox and RemoveContainer end running containers by force. CRI does not define when:
 *
 * - containerd kills them at once.
 * - Docker does so, too, but its StopPodSandbox leaves the containers running.
 * - CRI-O waits until the deadline of the call, so a process that ignores SIGTERM takes two minutes.
 *
 * Stopping the containers first, with a grace period of their own, has the same effect on every runtime.
 */

/** Options of stopping a container. */
export interface StopOptions extends CallOptions {
  /**
   * Seconds between the stop signal and SIGKILL; 0 kills at once. Fractions are rounded up. The default time limit of the call is
   * two minutes more than this.
   *
   * @defaultValue the `terminationGracePeriodSeconds` of the spec, else 30 as in Kubernetes. A borrowed handle reads the value of
   *   the spec from the container's annotations with ListContainers
   */
  gracePeriodSeconds?: number | undefined;
}

/** Options of stopping a pod. */
export interface StopPodOptions extends CallOptions {
  /**
   * Seconds between the stop signal and SIGKILL for each running container; 0 kills at once. Fractions are rounded up. A time limit
   * of the call (`timeoutMs`, `deadline`) shortens it, so that the pod is stopped before the limit.
   *
   * @defaultValue the `terminationGracePeriodSeconds` of the container's spec; else, if the handle owns the pod, of the pod's spec;
   *   else 0, as CRI defines StopPodSandbox
   */
  gracePeriodSeconds?: number | undefined;
}

/** Options of removing a pod or container. */
export interface RemoveOptions extends CallOptions {
  /**
   * Seconds between the stop signal and SIGKILL for a running container; 0 kills at once. Fractions are rounded up. A time limit of
   * the call (`timeoutMs`, `deadline`) shortens it, so that the removal ends before the limit.
   *
   * @defaultValue 0
   */
  gracePeriodSeconds?: number | undefined;
}

export const stopFields: FieldsOf<StopOptions> = { gracePeriodSeconds: true, ...callOptionFields };
export const stopPodFields: FieldsOf<StopPodOptions> = { gracePeriodSeconds: true, ...callOptionFields };
export const removeFields: FieldsOf<RemoveOptions> = { gracePeriodSeconds: true, ...callOptionFields };

/** The number of containers of a pod to stop at the same time. */
const parallelStops = 32;

/** The deadline of the first StopPodSandbox on CRI-O. */
const crioStopMs = 10_000;

/** The pause before containers that were started in the meantime are also stopped. It doubles each time. */
const firstPauseMs = 1_000;

/** Stops the containers of a pod, each with its grace period, and then the pod sandbox. */
export const stopPod = asWorkflow(
  { name: "pod.stop", subject: ([, id]) => ({ podSandboxId: id }) },
  stopContainersAndPod,
);

async function stopContainersAndPod(
  connection: Connection,
  id: string,
  gracePeriodOf: (container: Container) => number,
  budget: Budget,
): Promise<void> {
  const operation = new Stopping(connection, budget);
  await operation.run(() => operation.stopPod(id, gracePeriodOf));
}

/** Stops a pod as {@link stopPod} does, and removes it. */
export const removePod = asWorkflow(
  { name: "pod.remove", subject: ([, id]) => ({ podSandboxId: id }) },
  stopAndRemovePod,
);

async function stopAndRemovePod(
  connection: Connection,
  id: string,
  gracePeriodOf: (container: Container) => number,
  budget: Budget,
): Promise<void> {
  const operation = new Stopping(connection, budget);
  await operation.run(async () => {
    await operation.stopPod(id, gracePeriodOf);
    await retryWhileBusy(budget, (options) => operation.track(podCalls.removePodSandbox(connection, id, options)));
  });
}

/** Stops a container with the given grace period, else the one in its annotations, else the default of Kubernetes. */
export const stopContainer = asWorkflow(
  { name: "container.stop", subject: ([, id]) => ({ containerId: id }) },
  stopWithGracePeriod,
);

async function stopWithGracePeriod(
  connection: Connection,
  id: string,
  gracePeriodSeconds: number | undefined,
  budget: Budget,
): Promise<void> {
  const seconds = gracePeriodSeconds ?? (await readGracePeriod(connection, id, budget)) ?? defaultGracePeriodSeconds;
  await retryWhileBusy(budget, (options) => containerCalls.stopContainer(connection, id, seconds, options));
}

/** Reads the grace period from the annotations of a container; undefined if it has none or does not exist. */
async function readGracePeriod(connection: Connection, id: string, budget: Budget): Promise<number | undefined> {
  const filter = { id, state: undefined, podSandboxId: "", labelSelector: {} };
  const [container] = await containerCalls.listContainers(connection, filter, budget.options());
  return container && annotatedGracePeriod(container.annotations);
}

/** Stops a container with a grace period, and removes it. */
export const removeContainer = asWorkflow(
  { name: "container.remove", subject: ([, id]) => ({ containerId: id }) },
  stopAndRemoveContainer,
);

async function stopAndRemoveContainer(
  connection: Connection,
  id: string,
  gracePeriodSeconds: number,
  budget: Budget,
): Promise<void> {
  const operation = new Stopping(connection, budget);
  await operation.run(() => operation.removeContainer(id, gracePeriodSeconds));
}

/** An operation of several calls that stops or removes a pod or container. */
class Stopping {
  readonly #connection: Connection;
  readonly #budget: Budget;
  #hadEffect = false;

  constructor(connection: Connection, budget: Budget) {
    this.#connection = connection;
    this.#budget = budget;
  }

  /** Runs the steps. If an earlier step may have had an effect, the error of a failed one has `mayHaveTakenEffect`. */
  async run(steps: () => Promise<void>): Promise<void> {
    try {
      await steps();
    } catch (error) {
      const isOwn = CriError.is(error) && error !== this.#budget.caller.signal?.reason;
      throw isOwn && this.#hadEffect ? error.inDoubt() : error;
    }
  }

  /** Records whether a call may have had an effect. */
  async track(call: Promise<void>): Promise<void> {
    try {
      await call;
      this.#hadEffect = true;
    } catch (error) {
      this.#hadEffect ||= !CriError.is(error) || error.mayHaveTakenEffect;
      throw error;
    }
  }

  async stopPod(id: string, gracePeriodOf: (container: Container) => number): Promise<void> {
    const filter = { id: "", state: undefined, podSandboxId: id, labelSelector: {} };
    await this.#stopFirst(
      async (options) => {
        const containers = await containerCalls.listContainers(this.#connection, filter, options());
        const alive = containers.filter(({ state }) => state !== ContainerState.CONTAINER_EXITED);
        return forEachSettled(alive, parallelStops, (container) =>
          this.#stopContainer(container.id, gracePeriodOf(container), options),
        );
      },
      () => this.#stopSandbox(id),
    );
  }

  /**
   * StopPodSandbox. CRI-O also waits until the deadline for the sandbox's own process, which ignores SIGTERM between its start and
   * its first instruction. So the first call gets a short deadline, and a second one the remaining time.
   */
  async #stopSandbox(id: string): Promise<void> {
    const stop = (options: CallOptions) => this.track(podCalls.stopPodSandbox(this.#connection, id, options));
    const name = await runtimeName(this.#connection, this.#budget.options());
    if (name !== "cri-o") return stop(this.#budget.options());
    const leftMs = this.#budget.leftMs() ?? Number.POSITIVE_INFINITY;
    try {
      await stop({ ...this.#budget.options(), timeoutMs: Math.min(crioStopMs, leftMs / 2), deadline: undefined });
    } catch (error) {
      if (!CriError.is(error, "DEADLINE_EXCEEDED")) throw error;
      await stop(this.#budget.options());
    }
  }

  async removeContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    await retryWhileBusy(this.#budget, () =>
      this.#stopFirst(
        (options) => forEachSettled([id], 1, () => this.#stopContainer(id, gracePeriodSeconds, options)),
        () => this.track(containerCalls.removeContainer(this.#connection, id, this.#budget.options())),
      ),
    );
  }

  #stopContainer(id: string, gracePeriodSeconds: number, options: () => CallOptions): Promise<void> {
    return retryWhileBusy({ ...this.#budget, options }, (o) => {
      const seconds = withinBudget(gracePeriodSeconds, this.#budget);
      return this.track(containerCalls.stopContainer(this.#connection, id, seconds, o));
    });
  }

  /**
   * Stops the containers, and then makes the call that ends them by force. During that call, containers that were started after the
   * first stop are stopped, too. The call also ends containers that could not be stopped.
   *
   * @param stop returns the errors of containers that could not be stopped
   */
  async #stopFirst(
    stop: (options: () => CallOptions) => Promise<readonly unknown[]>,
    call: () => Promise<void>,
  ): Promise<void> {
    const failures = await stop(this.#budget.options);
    const ended = new AbortController();
    void this.#stopAgain(stop, ended.signal).catch(() => {});
    try {
      await call();
    } catch (error) {
      throw failures.length > 0 && CriError.is(error) ? error.withSuppressed(failures) : error;
    } finally {
      ended.abort();
    }
  }

  /** Stops again after growing pauses, until the signal aborts or the budget is spent. */
  async #stopAgain(stop: (options: () => CallOptions) => Promise<unknown>, ended: AbortSignal): Promise<void> {
    for (let pauseMs = firstPauseMs; ; pauseMs *= 2) {
      await this.#budget.sleep(pauseMs, ended);
      if (ended.aborted) return;
      const link = linkAbort(this.#budget.caller.signal, ended);
      try {
        await stop(() => ({ ...this.#budget.options(), signal: link.signal }));
      } finally {
        link.unlink();
      }
    }
  }
}
