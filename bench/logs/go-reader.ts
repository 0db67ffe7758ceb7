/** The log reader of crictl and the kubelet, in its own process. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";
import { buildGo } from "../../test/runtime/lab/go.js";
import { criClientPackages } from "../support/cri-client.js";

/** The output of the program. */
export interface GoResult {
  lines: number;
  seconds: number;
  cpuSeconds: number;
  maxRssBytes: number;
  /** The delay of each line that was followed. */
  delaysMs?: number[];
}

export class GoReader {
  private constructor(private readonly program: string) {}

  static async build(): Promise<GoReader> {
    return new GoReader(await buildGo(fileURLToPath(new URL("go-reader/main.go", import.meta.url)), criClientPackages));
  }

  /** Reads a log, or its last lines, and counts the lines. */
  async read(path: string, tailLines?: number): Promise<GoResult> {
    return JSON.parse(await run(this.program, ["read", path, String(tailLines ?? -1)], { timeoutMs: 600_000 }));
  }

  /** Follows a log until it has read `lines` lines. Reports the delay of each. */
  async follow(path: string, lines: number): Promise<GoResult> {
    return JSON.parse(await run(this.program, ["follow", path, String(lines)], { timeoutMs: 600_000 }));
  }
}
