/**
 * A containerd of the lab that runs only the measured pods.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient } from "k8s-cri-client";
import { nodeResourcesOf } from "../../test/runtime/helpers/node-resources.js";
import { startLab } from "../../test/runtime/lab/lab.js";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";
import { namespace } from "./pod.js";

export class Stage implements AsyncDisposable {
  readonly #before: readonly string[];

  private constructor(
    readonly runtime: string,
    readonly endpoint: string,
    readonly image: string,
    readonly cri: CriClient,
    private readonly cleanUps: CleanUpStep[],
  ) {
    this.#before = this.#traces();
  }

  static async open(): Promise<Stage> {
    const cleanUps: CleanUpStep[] = [];
    try {
      const lab = await startLab({ versions: ["2.1"] });
      cleanUps.push(() => lab.stop());
      const [instance] = lab.instances;
      if (!instance) throw new Error("the lab has no runtime");
      const { endpoint, name, version } = instance;
      const cri = await CriClient.connect({ endpoint });
      cleanUps.push(() => cri.close());
      await cri.images.ensure(lab.images.busybox);
      return new Stage(`${name} (${version})`, endpoint, lab.images.busybox, cri, cleanUps);
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  /** Finds pods, containers and node resources that were not removed. Removes the pods that it finds. */
  async leftBehind(): Promise<string[]> {
    const pods = await this.cri.pods.list({ namespace });
    const containers = await this.cri.containers.list();
    const known = [...pods.map(({ id }) => `pod ${id}`), ...containers.map(({ id }) => `container ${id}`)];
    for (const { id } of pods) {
      await this.cri.pods.get(id).stop();
      await this.cri.pods.remove(id);
    }
    const traces = () => this.#traces().filter((trace) => !this.#before.includes(trace));
    // The kernel removes ended processes with a delay.
    for (let attempt = 0; attempt < 50 && traces().length > 0; attempt++) await sleep(100);
    return [...known, ...traces()];
  }

  #traces(): string[] {
    return nodeResourcesOf(this.endpoint).map(({ kind, name }) => `${kind} ${name}`);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}
