import type { Writable } from "node:stream";
import type { TerminalInput } from "../index.js";

/** A stream that a command writes to. It may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** Where a command reads, writes, and learns that it should end. */
export interface Terminal {
  readonly stdin: TerminalInput;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborts on the first SIGINT, SIGTERM or SIGHUP, and when the reader of stdout has gone. Its reason is an {@link Interruption}. */
  readonly signal: AbortSignal;
}

/** The reason with which the signal of a terminal aborts. */
export class Interruption extends Error {
  override readonly name = "Interruption";

  constructor(
    message: string,
    /** What the command exits with. */
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** The signals that end a command, with the exit code that shells expect: 128 and the signal's number. */
const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/** Returns the terminal of this process. A second signal ends the process at once, even if a command does not react. */
export function processTerminal(): Terminal {
  const ending = new AbortController();
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    process.once(signal, () => ending.abort(new Interruption(`ended by ${signal}`, exitCode)));
  }
  // The reader of a pipe, such as head, has seen enough. This is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    ending.abort(new Interruption("the reader of the output has gone", 0));
  });
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, env, signal: ending.signal };
}
