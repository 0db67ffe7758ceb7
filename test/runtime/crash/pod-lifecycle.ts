/**
 * The life of one pod as a program leads it, with a runtime that may be killed at any moment: every answer is compared with what
 * it must be, and after a failure the program does what the README tells it to do.
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
import { CheckedCalls, type Chronicle } from "./checked-calls.js";

/** How a life goes about it. The pod has its own name as the label `life`. */
export interface LifecyclePlan {
  pod: PodSpec;
  container: ContainerSpec;
  /** Removes by leaving the scope of `await using`, or call by call. */
  tidiness: "using" | "by hand";
  /** Another program has made the pod and the container, and this one takes them over. */
  adopts: boolean;
  /** The first run of the pod is cancelled after so many milliseconds. */
  cancelAfterMs?: number;
}

/** How many calls a life takes when nothing fails, more or less. */
export const callsPerLifecycle = 14;

export class PodLifecycle {
  readonly #calls: CheckedCalls;
  #atRest: string[] = [];
  #commands = { begun: 0, done: 0 };

  constructor(
    private readonly cri: CriClient,
    /** The client of the other program, where there is one. */
    private readonly other: CriClient,
    readonly plan: LifecyclePlan,
    chronicle: Chronicle,
    private readonly random: Random,
  ) {
    const traits = [plan.tidiness, ...(plan.adopts ? ["adopts"] : []), ...(plan.pod.uid ? ["uid"] : [])];
    this.#calls = new CheckedCalls(`${plan.pod.name} (${traits.join(", ")})`, cri, chronicle, random);
  }

  /** What it is at. */
  get step(): string {
    return this.#calls.step;
  }

  /** Ids of what nobody is changing at the moment: a kill of the runtime must do nothing to it. */
  get atRest(): readonly string[] {
    return this.#atRest;
  }

  /** From the first call to the last one; never rejects. */
  async live(): Promise<void> {
    try {
      const { cancelAfterMs, tidiness } = this.plan;
      if (cancelAfterMs !== undefined) {
        await this.#runAndCancel(cancelAfterMs);
        // Without a uid the next run would make another pod, and leave the one that may be there.
        if (this.plan.pod.uid === undefined) return await this.#removeWhatIsFound();
      }
      await (tidiness === "using" ? this.#using() : this.#manual());
    } catch (error) {
      this.#calls.complain(`gave up: ${inspect(error)}`);
    } finally {
      this.#calls.step = "over";
    }
  }

  async #using(): Promise<void> {
    let id: string;
    {
      await using pod = await this.#runPod();
      id = pod.id;
      await this.#unlessLost(pod, async () => {
        await using container = await this.#runContainer(pod);
        await this.#use(pod, container);
        this.#calls.step = "dispose";
      });
      this.#calls.step = "dispose";
    }
    this.#calls.note("dispose", "OK");
    await this.#expectGone(id);
  }

  async #manual(): Promise<void> {
    const pod = await this.#runPod();
    const container = await this.#unlessLost(pod, async () => {
      const container = await this.#runContainer(pod);
      await this.#use(pod, container);
      return container;
    });
    if (container) await this.#removeContainer(pod, container);
    await this.#removePod(pod.id);
    await this.#expectGone(pod.id);
  }

  async #removeContainer(pod: OwnedPodSandbox, container: OwnedContainer): Promise<void> {
    const state = async () =>
      (await this.#calls.insist("container status", (options) => container.status(options))).state;
    const isListed = async () =>
      (await this.#calls.insist("list", (options) => this.cri.containers.list({ pod }, options))).length > 0;
    await this.#calls.insist(
      "stop container",
      (options) => container.stop({ ...options, gracePeriodSeconds: 0 }),
      async () => (await state()) === ContainerState.CONTAINER_RUNNING,
    );
    if ((await state()) !== ContainerState.CONTAINER_EXITED) this.#calls.complain("stopped, but it is not");
    await this.#calls.insist("remove container", (options) => container.remove(options), isListed);
    if (await isListed()) this.#calls.complain("a removed container is listed");
  }

  /**
   * Work in a pod. A runtime that does not find its way back to a pod after a restart (containerd gives each shim a few seconds
   * to answer) may fail it, and has to say that the pod, or its container, is no more. Then there is nothing but to remove it.
   */
  async #unlessLost<T>(pod: OwnedPodSandbox, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const { state } = await this.#calls.insist("status", (options) => pod.status(options));
      const containers = await this.#calls.insist("list", (options) => this.cri.containers.list({ pod }, options));
      const isLost =
        state !== PodSandboxState.SANDBOX_READY ||
        containers.some((container) => container.state === ContainerState.CONTAINER_EXITED);
      if (!isLost || !this.#calls.chronicle.killed) throw error;
      this.#calls.chronicle.lost++;
      this.#calls.note("lost", error);
      return undefined;
    } finally {
      this.#atRest = [];
    }
  }

  async #runAndCancel(afterMs: number): Promise<void> {
    const reason = new Error(`cancelled after ${afterMs} ms`);
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(reason), afterMs);
    try {
      const pod = await this.#calls.once("run", (options) =>
        this.cri.pods.run(this.plan.pod, { ...options, signal: abort.signal }),
      );
      await this.#removePod(pod.id);
    } catch (error) {
      if (error !== reason && !CriError.is(error)) this.#calls.complain(`cancelled, but rejected with ${error}`);
      this.#doubt();
    } finally {
      clearTimeout(timer);
    }
  }

  async #runPod(): Promise<OwnedPodSandbox> {
    const { pod: spec, adopts } = this.plan;
    const foreign = adopts ? await this.#runElsewhere() : undefined;
    for (let attempt = 1; ; attempt++) {
      try {
        const pod = await this.#calls.once("run", (options) => this.cri.pods.run(spec, { ...options, adopt: adopts }));
        if (pod.adopted !== (pod.id === foreign)) this.#calls.complain(`${pod.id} is adopted: ${pod.adopted}`);
        await this.#expectOnly(pod.id);
        return pod;
      } catch (error) {
        await this.#calls.recover(error, attempt);
        await this.#afterFailedRun(error, foreign);
      }
    }
  }

  /** Another program makes the pod, and ends. Returns its id if it lived to know it. */
  async #runElsewhere(): Promise<string | undefined> {
    try {
      const pod = await this.#calls.once("run", (options) => this.other.pods.run(this.plan.pod, options));
      return pod.release().id;
    } catch (error) {
      await this.#calls.recover(error, 1);
      await this.#afterFailedRun(error);
      return undefined;
    }
  }

  /** A promise that nothing was made has to be true. What there may be is found by the uid, or has to be removed. */
  async #afterFailedRun(error: unknown, foreign?: string): Promise<void> {
    if (!CriError.is(error)) throw error;
    if (error.mayHaveTakenEffect) this.#doubt();
    // Of a pod that is neither this program's nor fit to be taken over the error says that it is to be removed.
    const wreck = CriError.is(error, "NAME_RESERVED") && this.plan.adopts;
    const made = async () => (await this.#find()).some(({ id }) => id !== foreign);
    if (!wreck && !this.#doubtful && (await made())) this.#calls.complain(`"nothing was made", but it was: ${error}`);
    if (wreck || (error.mayHaveTakenEffect && this.plan.pod.uid === undefined)) await this.#removeWhatIsFound();
  }

  async #runContainer(pod: OwnedPodSandbox): Promise<OwnedContainer> {
    const { container: spec, adopts } = this.plan;
    if (adopts) {
      await this.#calls
        .once("create container", async (options) => {
          const made = await this.other.pods.get(pod.id).createContainer(spec, { ...options, podConfig: pod.config });
          made.release();
        })
        .catch((error: unknown) => this.#calls.recover(error, 1));
    }
    const find = () =>
      this.#calls.insist("list", (options) => this.cri.containers.list({ pod, name: spec.name }, options));
    for (let attempt = 1; ; attempt++) {
      try {
        const container = await this.#calls.once("run container", (options) =>
          pod.runContainer(spec, { ...options, adopt: adopts }),
        );
        this.#commands = { begun: 0, done: 0 };
        this.#atRest = [pod.id, container.id];
        return container;
      } catch (error) {
        await this.#calls.recover(error, attempt);
        const found = await find();
        const promised = CriError.is(error) && !error.mayHaveTakenEffect && !CriError.is(error, "NAME_RESERVED");
        if (promised && !adopts && found.length > 0) this.#calls.complain(`"nothing was made", but it was: ${error}`);
        for (const { id } of found)
          await this.#calls.insist("remove container", (options) => this.cri.containers.remove(id, options));
      }
    }
  }

  /** Commands, statuses, lists: each answer is compared with what it must be. */
  async #use(pod: OwnedPodSandbox, container: OwnedContainer): Promise<void> {
    await this.#command(container, this.plan.pod.name);
    const { id, metadata, state } = await this.#calls.insist("status", (options) => pod.status(options));
    if (id !== pod.id || metadata?.name !== this.plan.pod.name) this.#calls.complain("the status of another pod");
    if (state !== PodSandboxState.SANDBOX_READY) throw new Error("a pod that nobody stopped is not ready");
    await this.#expectOnly(pod.id);
    const own = await this.#calls.insist("container status", (options) => container.status(options));
    if (own.id !== container.id || own.metadata?.name !== this.plan.container.name)
      this.#calls.complain("the status of another container");
    if (own.state !== ContainerState.CONTAINER_RUNNING) throw new Error("a container that nobody stopped has ended");
    const ids = (await this.#calls.insist("list", (options) => this.cri.containers.list({ pod }, options))).map(
      (it) => it.id,
    );
    if (ids.join() !== container.id) this.#calls.complain(`not ${container.id} is in the pod, but ${ids}`);
    await sleep(this.random.below(300));
    await this.#expectCommandsOnce(container);
    this.#atRest = [];
  }

  /** A command that leaves a trace, so that it shows how often it was run. */
  async #command(container: Container, word: string): Promise<void> {
    const line = ["/bin/sh", "-c", `echo x >> /tmp/trace && echo '${word}'`];
    for (let attempt = 1; ; attempt++) {
      this.#commands.begun++;
      try {
        const { exitCode, stdout } = await this.#calls.once("exec", (options) => container.execSync(line, options));
        this.#commands.done++;
        if (exitCode !== 0 || stdout !== `${word}\n`) this.#calls.complain(`exec: ${exitCode} ${stdout}`);
        return;
      } catch (error) {
        if (CriError.is(error) && !error.mayHaveTakenEffect) this.#commands.begun--;
        await this.#calls.recover(error, attempt);
      }
    }
  }

  async #expectCommandsOnce(container: Container): Promise<void> {
    const { stdout } = await this.#calls.insist("exec", (options) =>
      container.execSync(["/bin/sh", "-c", "cat /tmp/trace"], options),
    );
    const count = stdout.split("\n").length - 1;
    const { begun, done } = this.#commands;
    if (count < done || count > begun) this.#calls.complain(`run ${count} times; done ${done}, begun ${begun}`);
  }

  async #removePod(id: string): Promise<void> {
    this.#atRest = [];
    const before = (await this.#find()).find((pod) => pod.id === id);
    const now = async () => (await this.#find()).find((pod) => pod.id === id);
    await this.#calls.insist(
      "stop",
      (options) => this.cri.pods.stop(id, options),
      async () => (await now())?.state === before?.state,
    );
    await this.#calls.insist(
      "remove",
      (options) => this.cri.pods.remove(id, options),
      async () => (await now()) !== undefined,
    );
  }

  /** What a program does about calls whose outcome it does not know: it looks for what is there, and removes it. */
  async #removeWhatIsFound(): Promise<void> {
    for (const { id } of await this.#find()) await this.#removePod(id);
  }

  #find() {
    const { name, namespace, uid } = this.plan.pod;
    return this.#calls.insist("list", (options) => this.cri.pods.list({ name, namespace, uid }, options));
  }

  /** There is the one pod, whichever way one asks. */
  async #expectOnly(id: string): Promise<void> {
    const idsOf = (pods: { id: string }[]) => pods.map((pod) => pod.id).sort();
    const found = idsOf(await this.#find());
    if (!found.includes(id)) this.#calls.complain(`not ${id} is listed, but ${found}`);
    if (found.length > 1 && !this.#doubtful) this.#calls.complain(`more than one pod: ${found}`);
    const labels = { life: this.plan.pod.name };
    const labelled = idsOf(await this.#calls.insist("list", (options) => this.cri.pods.list({ labels }, options)));
    if (!labelled.includes(id)) this.#calls.complain(`not ${id} has the label, but ${labelled}`);
  }

  async #expectGone(id: string): Promise<void> {
    const gone = await this.#calls.insist("status", async (options) => {
      try {
        await this.cri.pods.status(id, options);
        return false;
      } catch (error) {
        if (CriError.is(error, "NOT_FOUND")) return true;
        throw error;
      }
    });
    if (!gone) this.#calls.complain("a removed pod has a status");
  }

  #doubt(): void {
    this.#calls.chronicle.doubtful.add(this.plan.pod.name);
  }

  get #doubtful(): boolean {
    return this.#calls.chronicle.doubtful.has(this.plan.pod.name);
  }
}
