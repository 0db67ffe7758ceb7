/**
 * A pod on a real containerd that sends and receives bytes, faster than any measured client.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient, type OwnedContainer, type OwnedPodSandbox } from "k8s-cri-client";
import { type LabVersion, labAvailability, startLab } from "../../test/runtime/lab/lab.js";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";
import { dataPort } from "./transfer.js";

/** The data that the container sends. */
const dataFile = "/tmp/data";

export const shell = (line: string) => ["/bin/sh", "-c", line];

export class Stage implements AsyncDisposable {
  private constructor(
    readonly runtime: string,
    readonly endpoint: string,
    readonly cri: CriClient,
    readonly pod: OwnedPodSandbox,
    readonly container: OwnedContainer,
    /** The IP address of the pod, which this machine reaches without the runtime. */
    readonly address: string,
    /** Size in bytes and SHA-256 of the data in the container. */
    readonly size: number,
    readonly sum: string,
    private readonly cleanUps: CleanUpStep[],
  ) {}

  static async open(version: LabVersion, mib: number): Promise<Stage> {
    const availability = labAvailability();
    if (!availability.available) throw new Error(`no containerd on this machine: ${availability.reason}`);
    const cleanUps: CleanUpStep[] = [];
    try {
      const lab = await startLab({ versions: [version] });
      cleanUps.push(() => lab.stop());
      const [instance] = lab.instances;
      if (!instance) throw new Error("the lab has no runtime");
      const cri = CriClient.lazy({ endpoint: instance.endpoint });
      cleanUps.push(() => cri.close());
      const pod = await cri.pods.run({ name: "streaming", namespace: "bench" });
      const command = shell(
        `dd if=/dev/urandom of=${dataFile} bs=1M count=${mib} && exec nc -ll -p ${dataPort} -e cat ${dataFile}`,
      );
      const container = await pod.runContainer({ name: "bench", image: lab.images.busybox, command });
      const listening = shell(`netstat -ltn | grep -q :${dataPort}`);
      while ((await container.execSync(listening)).exitCode !== 0) await sleep(200);
      const sum =
        (await container.execSync(["sha256sum", dataFile], { timeoutMs: 120_000 })).stdout.split(" ")[0] ?? "";
      const address = (await pod.status()).network?.ip ?? "";
      const size = mib * 2 ** 20;
      const name = `${instance.name} (${instance.version})`;
      return new Stage(name, instance.endpoint, cri, pod, container, address, size, sum, cleanUps);
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  /** The command that writes the data to its output. */
  readonly source = ["cat", dataFile];

  /**
   * Reads exactly `size` bytes and exits, because input over WebSocket has no end. Fails if there were fewer bytes. The shell stays
   * open, because containerd closes the input of a command that closes its output.
   */
  get sink(): string[] {
    return shell(`test "$(${this.#reader} 2>&1 >/dev/null | head -n 1)" = "${this.#blocks}+0 records in"`);
  }

  /** Reads exactly `size` bytes and prints their SHA-256. */
  get hashingSink(): string[] {
    return shell(`${this.#reader} status=none | sha256sum`);
  }

  get #reader(): string {
    return `dd bs=64k iflag=fullblock count=${this.#blocks}`;
  }

  get #blocks(): number {
    return this.size / 65_536;
  }

  /** Requests a URL for clients without gRPC. */
  async execUrl(cmd: string[], stdin: boolean): Promise<URL> {
    const request = { containerId: this.container.id, cmd, stdin, stdout: true, stderr: true, tty: false };
    return new URL((await this.cri.raw.runtime.exec(request)).url);
  }

  async forwardUrl(): Promise<URL> {
    const request = { podSandboxId: this.pod.id, port: [dataPort] };
    return new URL((await this.cri.raw.runtime.portForward(request)).url);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}
