/**
 * A container of a containerd of the lab, with `tar` and a folder of this machine, and the files to copy. All of them are in
 * memory where that is possible, so that no disk is measured.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient, type OwnedContainer } from "k8s-cri-client";
import { type LabVersion, startLab } from "../../test/runtime/lab/lab.js";
import { type CleanUpStep, cleanUp } from "../support/clean-up.js";
import { makeLargeFile, makeSmallFiles } from "./tree.js";

export class Stage implements AsyncDisposable {
  #count = 0;

  private constructor(
    readonly runtime: string,
    readonly endpoint: string,
    readonly cri: CriClient,
    readonly container: OwnedContainer,
    private readonly folder: string,
    private readonly cleanUps: CleanUpStep[],
  ) {}

  static async open(version: LabVersion, { files, mib }: { files: number; mib: number }): Promise<Stage> {
    const cleanUps: CleanUpStep[] = [];
    try {
      // The files, and at most one copy of them at a time.
      const folder = await mkdtemp(join(await folderWithSpace(2 * (mib * 2 ** 20 + files * 8_192)), "bench-copy-"));
      cleanUps.push(() => rm(folder, { recursive: true, force: true }));
      await mkdir(join(folder, "inside"));
      await makeSmallFiles(join(folder, "inside", "small"), files);
      await makeLargeFile(join(folder, "inside", "large"), mib);
      const lab = await startLab({ versions: [version] });
      cleanUps.push(() => lab.stop());
      const [instance] = lab.instances;
      if (!instance) throw new Error("the lab has no runtime");
      const cri = CriClient.lazy({ endpoint: instance.endpoint });
      cleanUps.push(() => cri.close());
      const pod = await cri.pods.run({ name: "copy", namespace: "bench", hostNetwork: true });
      const container = await pod.runContainer({
        name: "bench",
        image: lab.images.busybox,
        command: ["sleep", "100000"],
        mounts: [{ hostPath: join(folder, "inside"), containerPath: "/inside" }],
      });
      return new Stage(`${instance.name} (${instance.version})`, instance.endpoint, cri, container, folder, cleanUps);
    } catch (error) {
      await cleanUp(cleanUps);
      throw error;
    }
  }

  /** Returns where something in the container's folder is on this machine. */
  local(name: string): string {
    return join(this.folder, "inside", name);
  }

  /** Returns a name for a copy in the container's folder, where nothing is. */
  newName(): string {
    return `copy-${++this.#count}`;
  }

  /** Returns a path for a copy outside the container's folder, where nothing is. */
  newPath(): string {
    return join(this.folder, this.newName());
  }

  /** Requests a URL for clients without gRPC. */
  async execUrl(cmd: string[], stdin: boolean): Promise<string> {
    const request = { containerId: this.container.id, cmd, stdin, stdout: true, stderr: true, tty: false };
    return (await this.cri.raw.runtime.exec(request)).url;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return cleanUp(this.cleanUps);
  }
}

async function folderWithSpace(bytes: number): Promise<string> {
  for (const folder of ["/dev/shm", tmpdir()]) {
    if (!existsSync(folder)) continue;
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize > bytes) return folder;
  }
  throw new Error(`neither /dev/shm nor ${tmpdir()} has ${Math.ceil(bytes / 2 ** 20)} MiB of free space`);
}
