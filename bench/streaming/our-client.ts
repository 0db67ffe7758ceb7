/** This package in a process of its own, as it is published. @module */
import { compileProgram } from "../support/build.js";
import { Program } from "../support/program.js";
import type { Wire } from "./ours.js";
import type { Stage } from "./stage.js";
import type { Transfer } from "./transfer.js";

/** One process makes all transfers. */
export class OurClient implements AsyncDisposable {
  private constructor(
    private readonly stage: Stage,
    private readonly program: Program,
  ) {}

  static async start(stage: Stage): Promise<OurClient> {
    const program = await compileProgram("bench/streaming/node-client.ts", "streaming.js");
    const { endpoint, pod, container, size } = stage;
    return new OurClient(stage, new Program(process.execPath, [program, endpoint, pod.id, container.id, String(size)]));
  }

  stdout(wire: Wire): Promise<Transfer> {
    return this.#transfer("stdout", wire, this.stage.source);
  }

  stdin(wire: Wire, command: string[]): Promise<Transfer> {
    return this.#transfer("stdin", wire, command);
  }

  forward(wire: Wire): Promise<Transfer> {
    return this.#transfer("forward", wire, []);
  }

  async #transfer(...transfer: [what: string, wire: Wire, command: string[]]): Promise<Transfer> {
    const { error, ...done } = await this.program.ask<Transfer & { error?: string }>(JSON.stringify(transfer));
    if (error !== undefined) throw new Error(error);
    return done;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.program[Symbol.asyncDispose]();
  }
}
