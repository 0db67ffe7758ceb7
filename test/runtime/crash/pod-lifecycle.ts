/**
 * Runs the lifecycle of one pod on a runtime that may be killed at any moment. Compares every reply with the expected one. After a
 * failure, recovers as the documentation recommends.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import {
  type Container,
  ContainerState,
  type CriClient,
  CriError,
  type OwnedContainer,
  type OwnedPodSandbox,
  PodSandboxState,
} from "k8s-cri-client";
import type { ContainerSpec, PodSpec } from "../helpers/journeys.js";
import type { Random } from "../helpers/random.js";
import { CheckedCalls, type RoundRecord } from "./checked-calls.js";

/** The steps of one lifecycle. The pod's label `life` contains its name. */
export interface LifecyclePlan {
  pod: PodSpec;
  container: ContainerSpec;
  /** Removes the pod and its container by `await using`, or by explicit calls. */
  cleanUp: "dispose" | "explicit";
  /** Another client creates the pod and the container, and this one adopts them. */
  adopts: boolean;
  /** Aborts the first run of the pod after this many milliseconds. */
  abortAfterMs?: number;
}

/** Approximate number of calls of a lifecycle without failures. */
export const callsPerLifecycle = 14;

export class PodLifecycle {
  readonly #calls: CheckedCalls;
  #unchangedIds: string[] = [];
  #commands = { started: 0, completed: 0 };

  constructor(
    private readonly cri: CriClient,
    /** The client that creates the objects that `cri` adopts. */
    private readonly other: CriClient,
    readonly plan: LifecyclePlan,
    record: RoundRecord,
    private readonly random: Random,
  ) {
    const traits = [plan.cleanUp, ...(plan.adopts ? ["adopts"] : []), ...(plan.pod.uid ? ["uid"] : [])];
    this.#calls = new CheckedCalls(`${plan.pod.name} (${traits.join(", ")})`, cri, record, random);
  }

  /** The current step. */
  get step(): string {
    return this.#calls.step;
  }

  /** Ids of objects that no call is changing. A kill of the runtime must not affect them. */
  get unchangedIds(): readonly string[] {
    return this.#unchangedIds;
  }

  /** Runs the whole lifecycle. Never rejects; failures are in the record. */
  async run(): Promise<void> {
    try {
      const { abortAfterMs, cleanUp } = this.plan;
      if (abortAfterMs !== undefined) {
        await this.#runAndAbort(abortAfterMs);
        // Without a uid, the next run would create another pod and leave the one that may exist.
        if (this.plan.pod.uid === undefined) return await this.#removeFoundPods();
      }
      await (cleanUp === "dispose" ? this.#removeByDisposal() : this.#removeExplicitly());
    } catch (error) {
      this.#calls.reportViolation(`gave up: ${inspect(error)}`);
    } finally {
      this.#calls.step = "ended";
    }
  }

  async #removeByDisposal(): Promise<void> {
    let id: string;
    {
      await using pod = await this.#runPod();
      id = pod.id;
      await this.#runUnlessLost(pod, async () => {
        await using container = await this.#runContainer(pod);
        await this.#checkReplies(pod, container);
        this.#calls.step = "dispose";
      });
      this.#calls.step = "dispose";
    }
    this.#calls.note("dispose", "OK");
    await this.#expectRemoved(id);
  }

  async #removeExplicitly(): Promise<void> {
    const pod = await this.#runPod();
    const container = await this.#runUnlessLost(pod, async () => {
      const container = await this.#runContainer(pod);
      await this.#checkReplies(pod, container);
      return container;
    });
    if (container) await this.#removeContainer(pod, container);
    await this.#removePod(pod.id);
    await this.#expectRemoved(pod.id);
  }

  async #removeContainer(pod: OwnedPodSandbox, container: OwnedContainer): Promise<void> {
    const state = async () =>
      (await this.#calls.retry("container status", (options) => container.status(options))).state;
    const isListed = async () =>
      (await this.#calls.retry("list", (options) => this.cri.containers.list({ pod }, options))).length > 0;
    await this.#calls.retry(
      "stop container",
      (options) => container.stop({ ...options, gracePeriodSeconds: 0 }),
      async () => (await state()) === ContainerState.CONTAINER_RUNNING,
    );
    if ((await state()) !== ContainerState.CONTAINER_EXITED)
      this.#calls.reportViolation("a stopped container is not exited");
    await this.#calls.retry("remove container", (options) => container.remove(options), isListed);
    if (await isListed()) this.#calls.reportViolation("a removed container is listed");
  }

  /**
   * Runs `work` in a pod, unless the kill ended the pod. After a restart, containerd waits a few seconds for each shim. If a shim
   * does not respond in time, containerd must report the pod as not ready or its container as exited. The pod is then removed.
   */
  async #runUnlessLost<T>(pod: OwnedPodSandbox, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { state } = await this.#calls.retry("status", (options) => pod.status(options));
      const containers = await this.#calls.retry("list", (options) => this.cri.containers.list({ pod }, options));
      const isLost =
        state !== PodSandboxState.SANDBOX_READY ||
        containers.some((container) => container.state === ContainerState.CONTAINER_EXITED);
      if (!isLost || !this.#calls.record.killed) throw error;
      this.#calls.record.lost++;
      this.#calls.note("lost", error);
      return undefined;
    } finally {
      this.#unchangedIds = [];
    }
  }

  async #runAndAbort(afterMs: number): Promise<void> {
    const reason = new Error(`aborted after ${afterMs} ms`);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(reason), afterMs);
    try {
      const pod = await this.#calls.once("run", (options) =>
        this.cri.pods.run(this.plan.pod, { ...options, signal: abort.signal }),
      );
      await this.#removePod(pod.id);
    } catch (error) {
      if (error !== reason && !CriError.is(error))
        this.#calls.reportViolation(`expected the abort reason, got ${error}`);
      this.#markUncertain();
    } finally {
      clearTimeout(timer);
    }
  }

  async #runPod(): Promise<OwnedPodSandbox> {
    const { pod: spec, adopts } = this.plan;
    const otherId = adopts ? await this.#runByOtherClient() : undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        const pod = await this.#calls.once("run", (options) => this.cri.pods.run(spec, { ...options, adopt: adopts }));
        if (pod.adopted !== (pod.id === otherId))
          this.#calls.reportViolation(`expected adopted: ${pod.id === otherId}, got ${pod.adopted} (${pod.id})`);
        await this.#expectOnePod(pod.id);
        return pod;
      } catch (error) {
        await this.#calls.recover(error, attempt);
        await this.#afterFailedRun(error, otherId);
      }
    }
  }

  /** Another client creates and releases the pod. Returns the id, or `undefined` if the creation failed. */
  async #runByOtherClient(): Promise<string | undefined> {
    try {
      const pod = await this.#calls.once("run", (options) => this.other.pods.run(this.plan.pod, options));
      return pod.release().id;
    } catch (error) {
      await this.#calls.recover(error, 1);
      await this.#afterFailedRun(error);
      return undefined;
    }
  }

  /**
   * Checks that nothing exists if the error says that the call had no effect. Otherwise the next run finds the pod by its uid.
   * Without a uid, removes it.
   */
  async #afterFailedRun(error: unknown, otherId?: string): Promise<void> {
    if (!CriError.is(error)) throw error;
    if (error.mayHaveTakenEffect) this.#markUncertain();
    // A pod that cannot be adopted must be removed, as the error says.
    const unusable = CriError.is(error, "NAME_RESERVED") && this.plan.adopts;
    const exists = async () => (await this.#find()).some(({ id }) => id !== otherId);
    if (!unusable && !this.#uncertain && (await exists()))
      this.#calls.reportViolation(`the creation had an effect, but its error denies that: ${error}`);
    if (unusable || (error.mayHaveTakenEffect && this.plan.pod.uid === undefined)) await this.#removeFoundPods();
  }

  async #runContainer(pod: OwnedPodSandbox): Promise<OwnedContainer> {
    const { container: spec, adopts } = this.plan;
    if (adopts) {
      await this.#calls
        .once("create container", async (options) => {
          const created = await this.other.pods
            .get(pod.id)
            .createContainer(spec, { ...options, podConfig: pod.config });
          created.release();
        })
        .catch((error: unknown) => this.#calls.recover(error, 1));
    }
    const find = () =>
      this.#calls.retry("list", (options) => this.cri.containers.list({ pod, name: spec.name }, options));
    for (let attempt = 1; ; attempt++) {
      try {
        const container = await this.#calls.once("run container", (options) =>
          pod.runContainer(spec, { ...options, adopt: adopts }),
        );
        this.#commands = { started: 0, completed: 0 };
        this.#unchangedIds = [pod.id, container.id];
        return container;
      } catch (error) {
        await this.#calls.recover(error, attempt);
        const found = await find();
        const hadNoEffect = CriError.is(error) && !error.mayHaveTakenEffect && !CriError.is(error, "NAME_RESERVED");
        if (hadNoEffect && !adopts && found.length > 0)
          this.#calls.reportViolation(`the creation had an effect, but its error denies that: ${error}`);
        for (const { id } of found)
          await this.#calls.retry("remove container", (options) => this.cri.containers.remove(id, options));
      }
    }
  }

  /** Runs a command, reads statuses and lists, and checks each reply. */
  async #checkReplies(pod: OwnedPodSandbox, container: OwnedContainer): Promise<void> {
    await this.#runCommand(container, this.plan.pod.name);
    const { id, metadata, state } = await this.#calls.retry("status", (options) => pod.status(options));
    if (id !== pod.id || metadata?.name !== this.plan.pod.name)
      this.#calls.reportViolation("the status of another pod");
    if (state !== PodSandboxState.SANDBOX_READY) throw new Error("a pod that was not stopped is not ready");
    await this.#expectOnePod(pod.id);
    const own = await this.#calls.retry("container status", (options) => container.status(options));
    if (own.id !== container.id || own.metadata?.name !== this.plan.container.name)
      this.#calls.reportViolation("the status of another container");
    if (own.state !== ContainerState.CONTAINER_RUNNING) throw new Error("a container that was not stopped has exited");
    const ids = (await this.#calls.retry("list", (options) => this.cri.containers.list({ pod }, options))).map(
      (listed) => listed.id,
    );
    if (ids.join() !== container.id)
      this.#calls.reportViolation(`expected the container ${container.id} in the pod, got ${ids}`);
    await sleep(this.random.below(300));
    await this.#expectCommandsOnce(container);
    this.#unchangedIds = [];
  }

  /** Runs a command that appends a line to a file, so that {@link #expectCommandsOnce} can count its executions. */
  async #runCommand(container: Container, output: string): Promise<void> {
    const line = ["/bin/sh", "-c", `echo x >> /tmp/executions && echo '${output}'`];
    for (let attempt = 1; ; attempt++) {
      this.#commands.started++;
      try {
        const { exitCode, stdout } = await this.#calls.once("exec", (options) => container.execSync(line, options));
        this.#commands.completed++;
        if (exitCode !== 0 || stdout !== `${output}\n`) this.#calls.reportViolation(`exec: ${exitCode} ${stdout}`);
        return;
      } catch (error) {
        if (CriError.is(error) && !error.mayHaveTakenEffect) this.#commands.started--;
        await this.#calls.recover(error, attempt);
      }
    }
  }

  async #expectCommandsOnce(container: Container): Promise<void> {
    const { stdout } = await this.#calls.retry("exec", (options) =>
      container.execSync(["/bin/sh", "-c", "cat /tmp/executions"], options),
    );
    const count = stdout.split("\n").length - 1;
    const { started, completed } = this.#commands;
    if (count < completed || count > started)
      this.#calls.reportViolation(`executed ${count} times; started ${started}, completed ${completed}`);
  }

  async #removePod(id: string): Promise<void> {
    this.#unchangedIds = [];
    const before = (await this.#find()).find((pod) => pod.id === id);
    const now = async () => (await this.#find()).find((pod) => pod.id === id);
    await this.#calls.retry(
      "stop",
      (options) => this.cri.pods.get(id).stop(options),
      async () => (await now())?.state === before?.state,
    );
    await this.#calls.retry(
      "remove",
      (options) => this.cri.pods.remove(id, options),
      async () => (await now()) !== undefined,
    );
  }

  /** Removes the pods that calls with an unknown outcome may have created. */
  async #removeFoundPods(): Promise<void> {
    for (const { id } of await this.#find()) await this.#removePod(id);
  }

  #find() {
    const { name, namespace, uid } = this.plan.pod;
    return this.#calls.retry("list", (options) => this.cri.pods.list({ name, namespace, uid }, options));
  }

  /** Checks that lists by name and by label contain this pod, and no other unless a call had an unknown outcome. */
  async #expectOnePod(id: string): Promise<void> {
    const idsOf = (pods: { id: string }[]) => pods.map((pod) => pod.id).sort();
    const found = idsOf(await this.#find());
    if (!found.includes(id)) this.#calls.reportViolation(`expected the pod ${id} in the list, got ${found}`);
    if (found.length > 1 && !this.#uncertain) this.#calls.reportViolation(`expected one pod, got ${found}`);
    const labels = { life: this.plan.pod.name };
    const labelled = idsOf(await this.#calls.retry("list", (options) => this.cri.pods.list({ labels }, options)));
    if (!labelled.includes(id)) this.#calls.reportViolation(`expected the pod ${id} with the label, got ${labelled}`);
  }

  async #expectRemoved(id: string): Promise<void> {
    const isRemoved = await this.#calls.retry("status", async (options) => {
      try {
        await this.cri.pods.get(id).status(options);
        return false;
      } catch (error) {
        if (CriError.is(error, "NOT_FOUND")) return true;
        throw error;
      }
    });
    if (!isRemoved) this.#calls.reportViolation("a removed pod has a status");
  }

  #markUncertain(): void {
    this.#calls.record.uncertainPods.add(this.plan.pod.name);
  }

  get #uncertain(): boolean {
    return this.#calls.record.uncertainPods.has(this.plan.pod.name);
  }
}
