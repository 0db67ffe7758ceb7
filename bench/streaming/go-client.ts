/** client-go, the library of crictl and kubectl, in its own process. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import { clientGoPackages } from "../support/client-go.js";
import type { Wire } from "./ours.js";
import type { Stage } from "./stage.js";
import { dataPort, type Transfer } from "./transfer.js";

export class GoClient {
  private constructor(private readonly program: string) {}

  static async build(): Promise<GoClient> {
    return new GoClient(await buildGo(fileURLToPath(new URL("go-client/main.go", import.meta.url)), clientGoPackages));
  }

  async stdout(stage: Stage, wire: Wire): Promise<Transfer> {
    return await this.#run("stdout", wire, await stage.execUrl(stage.source, false), stage.size);
  }

  async stdin(stage: Stage, wire: Wire, command: string[]): Promise<Transfer> {
    return await this.#run("stdin", wire, await stage.execUrl(command, true), stage.size);
  }

  async forward(stage: Stage): Promise<Transfer> {
    return await this.#run("forward", "spdy", await stage.forwardUrl(), stage.size);
  }

  async #run(what: string, wire: Wire, url: URL, size: number): Promise<Transfer> {
    const output = await run(this.program, [what, wire, url.href, String(size), String(dataPort)], {
      timeoutMs: 600_000,
    });
    return JSON.parse(output) as Transfer;
  }
}
