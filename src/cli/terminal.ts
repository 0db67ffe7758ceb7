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
  /**
   * Aborts on the first SIGINT, SIGTERM or SIGHUP, and when the reader of stdout has gone: then its reason is an
   * {@link Interruption}. Also aborts when stdout cannot be written for another reason.
   */
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

/** Returns the terminal of this process. A second SIGINT or SIGTERM ends the process at once, even if a command does not react. */
export function processTerminal(): Terminal {
  const ending = new AbortController();
  for (const [signal, exitCode] of Object.entries(exitCodes)) {
    const end = () => ending.abort(new Interruption(`ended by ${signal}`, exitCode));
    // A terminal that closes sends SIGHUP, and so may the shell in it. The second one must not end the clean-up.
    if (signal === "SIGHUP") process.on(signal, end);
    else process.once(signal, end);
  }
  const { stdin, stdout, stderr, env } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    // The reader of a pipe, such as head, has seen enough. This is no failure.
    const isRead = error.code === "EPIPE";
    ending.abort(
      isRead
        ? new Interruption("the reader of the output has gone", 0)
        : new Error(`the output cannot be written: ${error.message}`),
    );
  });
  // Without a listener, the loss of stderr would end the process before a command has cleaned up. Nobody could read the error.
  stderr.on("error", () => {});
  return { stdin, stdout, stderr, env, signal: ending.signal };
}
