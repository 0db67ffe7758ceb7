/**
 * A node with many pods on a containerd of the lab.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient } from "k8s-cri-client";
import { inBatches } from "../../test/runtime/helpers/expectations.js";
import { type LabVersion, startLab } from "../../test/runtime/lab/lab.js";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";

const namespace = "bench-agent";

/** Two containers, as in a pod with a sidecar. `main` writes a line every 10 seconds while the node works. */
const script = "while :; do [ -e /switch/on ] && echo the quick brown fox jumps over the lazy dog; sleep 10; done";

export class Stage implements AsyncDisposable {
  #count = 0;
  readonly #pods: string[] = [];

  private constructor(
    readonly runtime: string,
    readonly endpoint: string,
    private readonly image: string,
    private readonly cri: CriClient,
    private readonly folder: string,
    private readonly cleanUps: CleanUpStep[],
  ) {}

  static async open(version: LabVersion, pods: number): Promise<Stage> {
    const cleanUps: CleanUpStep[] = [];
    try {
      const folder = await mkdtemp(join(tmpdir(), "bench-agent-"));
      cleanUps.push(() => rm(folder, { recursive: true, force: true }));
      const lab = await startLab({ versions: [version] });
      cleanUps.push(() => lab.stop());
      const [instance] = lab.instances;
      if (!instance) throw new Error("the lab has no runtime");
      const { endpoint, name } = instance;
      const cri = await CriClient.connect({ endpoint });
      cleanUps.push(() => cri.close());
      const stage = new Stage(`${name} (${instance.version})`, endpoint, lab.images.busybox, cri, folder, cleanUps);
      await inBatches([...Array(pods).keys()], 4, () => stage.#addPod());
      return stage;
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  /** Whether the containers write lines. */
  async setWorking(isWorking: boolean): Promise<void> {
    const path = join(this.folder, "on");
    await (isWorking ? writeFile(path, "") : rm(path, { force: true }));
  }

  /** Replaces the oldest pod, as an update of its workload does. */
  async replacePod(): Promise<void> {
    const oldest = this.#pods.shift();
    if (oldest) {
      await this.cri.pods.get(oldest).stop({ gracePeriodSeconds: 0 });
      await this.cri.pods.remove(oldest);
    }
    await this.#addPod();
  }

  async #addPod(): Promise<void> {
    const name = `pod-${this.#count++}`;
    const { cri, image } = this;
    const pod = await cri.pods.run({
      name,
      namespace,
      hostNetwork: true,
      logDirectory: join(this.folder, "logs", name),
    });
    const mounts = [{ hostPath: this.folder, containerPath: "/switch", readOnly: true }];
    await pod.runContainer({ name: "main", image, mounts, command: ["sh", "-c", script] });
    await pod.runContainer({ name: "sidecar", image, command: ["sleep", "1000000"] });
    this.#pods.push(pod.id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}
