import type { CriClient, LogBytesEntry, LogOwner } from "../../../index.js";
import type { Invocation } from "../../command.js";
import { jsonLine } from "../../output/format.js";
import { printable } from "../../output/table.js";

/** How lines are printed. */
interface PrintOptions {
  readonly output: "text" | "json";
  readonly timestamps?: boolean;
  /** Whether lines begin with the name of their pod and container. */
  readonly prefix: boolean;
}

/** An entry of one log, or of merged logs. */
type Entry = LogBytesEntry & Partial<LogOwner>;

/** One colour for each container, in the order in which containers appear. */
const colors = ["cyan", "yellow", "green", "magenta", "blue", "cyanBright", "yellowBright", "greenBright"] as const;

const lineBreak = Buffer.from("\n");

/** Prints entries of logs, and looks up the names of their pods. */
export class LogPrinter {
  readonly #invocation: Invocation;
  readonly #cri: CriClient;
  readonly #options: PrintOptions;
  readonly #podNames = new Map<string, string>();
  readonly #colors = new Map<string, (typeof colors)[number]>();
  /** The log of the last entry, if its line continues in the next one. */
  #unfinished: string | undefined;

  constructor(invocation: Invocation, cri: CriClient, options: PrintOptions) {
    this.#invocation = invocation;
    this.#cri = cri;
    this.#options = options;
  }

  /** Prints entries, and waits while the reader is slower. */
  async print(entries: readonly Entry[]): Promise<void> {
    const { output, prefix } = this.#options;
    if (prefix || output === "json") await this.#lookUp(entries);
    const lines = output === "json" ? entries.map((entry) => this.#json(entry)) : entries.flatMap((e) => this.#line(e));
    if (lines.length > 0) await this.#invocation.print(Buffer.concat(lines));
  }

  #json(entry: Entry): Buffer {
    const { timestamp, stream, container, containerId, attempt, podSandboxId = "", partial } = entry;
    const text = Buffer.from(entry.bytes).toString();
    const pod = this.#podNames.get(podSandboxId);
    const object = { timestamp, stream, pod, container, attempt, containerId, podSandboxId, text };
    return Buffer.from(jsonLine({ ...object, ...(partial && { partial }) }));
  }

  #line(entry: Entry): Uint8Array[] {
    const { timestamp, stream, partial, bytes } = entry;
    const log = `${entry.containerId} ${stream}`;
    const parts: Uint8Array[] = [];
    if (this.#unfinished !== log) {
      if (this.#unfinished !== undefined && this.#options.prefix) parts.push(lineBreak);
      const start =
        (this.#options.prefix ? this.#prefix(entry) : "") + (this.#options.timestamps ? `${timestamp} ` : "");
      if (start !== "") parts.push(Buffer.from(start));
    }
    parts.push(bytes);
    if (!partial) parts.push(lineBreak);
    this.#unfinished = partial ? log : undefined;
    return parts;
  }

  #prefix({ podSandboxId = "", container = "" }: Entry): string {
    const name = `${this.#podNames.get(podSandboxId)}/${container}`;
    const key = `${podSandboxId}/${container}`;
    const color = this.#colors.get(key) ?? colors[this.#colors.size % colors.length];
    if (color) this.#colors.set(key, color);
    return `${this.#invocation.styles(color ?? "cyan", printable(name))} `;
  }

  async #lookUp(entries: readonly Entry[]): Promise<void> {
    for (const { podSandboxId } of entries) {
      if (podSandboxId === undefined || this.#podNames.has(podSandboxId)) continue;
      const [pod] = await this.#cri.pods.list({ id: podSandboxId });
      // A pod that was removed in the meantime has no name any more.
      this.#podNames.set(podSandboxId, pod?.metadata?.name ?? podSandboxId.slice(0, 13));
    }
  }
}
