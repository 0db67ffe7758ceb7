/** Copies with this package, and as `kubectl cp` copies, each in a process of its own. @module */
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import { compileProgram, inRoot } from "../support/build.js";
import { clientGoPackages } from "../support/client-go.js";
import { Program } from "../support/program.js";
import type { Stage } from "./stage.js";

/** The cost of one copy to the client. */
export interface Cost {
  seconds: number;
  cpuSeconds: number;
}

/** A client that copies files or folders. */
export interface Copier {
  /** Copies a path of this machine to a new name in the container's folder. */
  copyTo(from: string, name: string): Promise<Cost>;
  /** Copies what has a name in the container's folder to a new path of this machine. */
  copyFrom(name: string, to: string): Promise<Cost>;
}

const folder = "/inside";

/** This package. One process makes all copies. */
export class Ours implements Copier, AsyncDisposable {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async start({ endpoint, container }: Stage): Promise<Ours> {
    const program = await compileProgram("bench/copy/node-copier.ts", "copier.js");
    return new Ours(new Program(process.execPath, [program, endpoint, container.id]));
  }

  copyTo(from: string, name: string): Promise<Cost> {
    return this.#copy("to", from, `${folder}/${name}`);
  }

  copyFrom(name: string, to: string): Promise<Cost> {
    return this.#copy("from", `${folder}/${name}`, to);
  }

  async #copy(...copy: string[]): Promise<Cost> {
    const { error, ...cost } = await this.#program.ask<Cost & { error?: string }>(JSON.stringify(copy));
    if (error !== undefined) throw new Error(error);
    return cost;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** A Go program. Each copy is a new process, whose start does not count. */
export class Kubectl implements Copier {
  private constructor(
    private readonly stage: Stage,
    private readonly program: string,
  ) {}

  static async build(stage: Stage): Promise<Kubectl> {
    return new Kubectl(stage, await buildGo(inRoot("bench/copy/go-copier/main.go"), clientGoPackages));
  }

  async copyTo(from: string, name: string): Promise<Cost> {
    const test = await this.stage.execUrl(["test", "-d", `${folder}/${name}`], false);
    const receive = await this.stage.execUrl(["tar", "-xmf", "-", "-C", folder], true);
    return await this.#run("to", from, name, receive, test);
  }

  async copyFrom(name: string, to: string): Promise<Cost> {
    return await this.#run("from", to, name, await this.stage.execUrl(["tar", "cf", "-", "-C", folder, name], false));
  }

  async #run(...args: string[]): Promise<Cost> {
    return JSON.parse(await run(this.program, args, { timeoutMs: 600_000 })) as Cost;
  }
}
