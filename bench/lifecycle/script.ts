/** The lifecycle of a pod with one process per step, like a shell script with crictl. @module */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import { criClientPackages } from "../support/cri-client.js";
import { containerConfig, fileFor, podConfig } from "./pod.js";

/** crictl, or a Go program with the same command line. Runs one step of the lifecycle per process. */
export interface StepProgram {
  path: string;
  /** The name in the report. */
  name: string;
}

/** Finds crictl on the PATH, or builds the Go program, which uses the library of crictl. */
export async function findStepProgram(): Promise<StepProgram> {
  const crictl = await run("crictl", ["--version"]).catch(() => undefined);
  if (crictl !== undefined) return { path: "crictl", name: "crictl, process per step" };
  const source = fileURLToPath(new URL("go-step/main.go", import.meta.url));
  return { path: await buildGo(source, criClientPackages), name: "cri-client (Go), process per step" };
}

export class Script implements AsyncDisposable {
  private constructor(
    private readonly program: string,
    private readonly endpoint: string,
    private readonly folder: string,
  ) {}

  static async open({ path }: StepProgram, endpoint: string): Promise<Script> {
    return new Script(path, endpoint, await mkdtemp(join(tmpdir(), "bench-lifecycle-")));
  }

  async runLifecycle(image: string, name: string): Promise<void> {
    const pod = podConfig(name);
    const [podFile, containerFile] = [join(this.folder, `${name}.pod.json`), join(this.folder, `${name}.json`)];
    await writeFile(podFile, fileFor(pod));
    await writeFile(containerFile, fileFor(containerConfig(image, pod)));
    const podId = await this.#step("runp", podFile);
    const id = await this.#step("create", podId, containerFile, podFile);
    await this.#step("start", id);
    const { status } = JSON.parse(await this.#step("inspect", id)) as { status: { state: string } };
    if (status.state !== "CONTAINER_RUNNING") throw new Error(`the container of ${name} is not running`);
    await this.#step("stop", "--timeout", "0", id);
    await this.#step("rm", id);
    await this.#step("stopp", podId);
    await this.#step("rmp", podId);
  }

  async #step(...words: string[]): Promise<string> {
    return (await run(this.program, ["--runtime-endpoint", this.endpoint, ...words])).trim();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
