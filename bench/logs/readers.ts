/** Log readers, each in a process of its own. The Go reader is in `go-reader.ts`. @module */
import { fileURLToPath } from "node:url";
import { run } from "../../test/runtime/lab/command.js";

/** The number of lines, and the cost of reading them. */
export interface ReadResult {
  lines: number;
  seconds: number;
  cpuSeconds?: number;
  maxRssBytes?: number;
}

/** A Node.js reader; see `reader.ts`. */
export class NodeReader {
  constructor(private readonly mode: "items" | "batches" | "bytes" | "readline" | "follow") {}

  async read(path: string): Promise<ReadResult> {
    return JSON.parse(await this.#run(path, []));
  }

  /** Reads the last lines `times` times in one process. Resolves with the result of the last read. */
  async tail(path: string, lines: number, times: number): Promise<ReadResult> {
    return JSON.parse(await this.#run(path, [String(lines), String(times)]));
  }

  /** Follows until it has read `lines` lines. Resolves with the delay of each line in milliseconds. */
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
  const output = await run("wc", ["-l", path], { timeoutMs: 600_000 });
  return { lines: Number.parseInt(output, 10), seconds: (performance.now() - startedAt) / 1_000 };
}

/** Reads a file without parsing it. */
export async function cat(path: string): Promise<Omit<ReadResult, "lines">> {
  const startedAt = performance.now();
  // Writes to a pipe: with /dev/null as output, cat would not read the file.
  await run("sh", ["-c", 'cat "$1" | wc -c', "sh", path], { timeoutMs: 600_000 });
  return { seconds: (performance.now() - startedAt) / 1_000 };
}
