/** Readers of logs in processes of their own, but for the one in Go. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";

/** What a reader found, and what it took. */
export interface ReadResult {
  lines: number;
  seconds: number;
  cpuSeconds?: number;
  maxRssBytes?: number;
}

/** A reader in Node.js: see `reader.ts`. */
export class NodeReader {
  constructor(private readonly mode: "items" | "batches" | "bytes" | "readline" | "follow") {}

  async read(path: string): Promise<ReadResult> {
    return JSON.parse(await this.#run(path, []));
  }

  /** Reads the last lines that often in one process; what is measured is the last time. */
  async tail(path: string, lines: number, times: number): Promise<ReadResult> {
    return JSON.parse(await this.#run(path, [String(lines), String(times)]));
  }

  /** Follows until that many lines have come; resolves with how late each was, in milliseconds. */
  async follow(path: string, lines: number): Promise<number[]> {
    return JSON.parse(await this.#run(path, [String(lines)]));
  }

  #run(path: string, args: string[]): Promise<string> {
    const reader = fileURLToPath(new URL("./reader.ts", import.meta.url));
    return run(process.execPath, ["--import", "tsx", reader, this.mode, path, ...args], { timeoutMs: 600_000 });
  }
}

/** Counts line breaks. */
export async function wc(path: string): Promise<ReadResult> {
  const startedAt = performance.now();
  const said = await run("wc", ["-l", path], { timeoutMs: 600_000 });
  return { lines: Number.parseInt(said, 10), seconds: (performance.now() - startedAt) / 1_000 };
}

/** Reads without looking. */
export async function cat(path: string): Promise<Omit<ReadResult, "lines">> {
  const startedAt = performance.now();
  // To a pipe: cat knows /dev/null and would not even read.
  await run("sh", ["-c", 'cat "$1" | wc -c', "sh", path], { timeoutMs: 600_000 });
  return { seconds: (performance.now() - startedAt) / 1_000 };
}
