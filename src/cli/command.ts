import type { Command } from "commander";
import type { CriClient } from "../client.js";
import type { Styles } from "./output/styles.js";
import type { Terminal } from "./terminal.js";

/** The options of every command. */
export interface GlobalOptions {
  /** Where the runtime listens. @defaultValue found by the client, as `CriClient.connect` does */
  endpoint?: string | undefined;
  /** Where the image service listens. @defaultValue the runtime's endpoint */
  imageEndpoint?: string | undefined;
  /** A file of crictl with endpoints. @defaultValue `/etc/crictl.yaml` if it exists */
  config?: string | undefined;
  /** The time limit of each call, in milliseconds. @defaultValue the defaults of the client */
  timeout?: number | undefined;
}

/** One run of a command. */
export interface Invocation {
  readonly terminal: Terminal;
  /** Colours of stdout. They do nothing if stdout must have none. */
  readonly styles: Styles;
  readonly globals: GlobalOptions;
  /** Connects to the runtime. The client is closed when the command ends. Further calls return the same client. */
  connect(): Promise<CriClient>;
  /** Prints text or bytes to stdout, and waits while the reader is slower. */
  print(text: string | Uint8Array): Promise<void>;
  /** Prints a line to stderr: what is no result, such as progress, hints and warnings. */
  note(line: string): void;
}

/** A command in a module of its own, which is loaded only if the command runs or prints its help. */
export interface CommandModule<Options = object> {
  /** Adds arguments, options, and help to the command. */
  define(command: Command): void;
  /**
   * Runs the command.
   *
   * @returns the exit code, if it is not 0
   * @throws what the command fails with: `failures.ts` prints it
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands return nothing
  run(invocation: Invocation, args: readonly string[], options: Options): Promise<number | void>;
}

/** Thrown for a command line that cannot work. The command exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Thrown to end a command with a message and an exit code of its own. */
export class ExitError extends Error {
  override readonly name = "ExitError";

  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}
