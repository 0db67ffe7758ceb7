import type { Readable, Writable } from "node:stream";
import { InvalidInputError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { TerminalSize } from "../../streaming/transport.js";
import { type SessionOptions, sessionFields } from "./open-session.js";

/** Selects the streams of a session. */
export interface StreamOptions {
  /** Opens standard input. @defaultValue false */
  stdin?: boolean | undefined;
  /** Opens standard output. @defaultValue true */
  stdout?: boolean | undefined;
  /** Opens standard error. Must be false with `tty`, because a terminal merges both outputs. @defaultValue the opposite of `tty` */
  stderr?: boolean | undefined;
  /** Gives the command a terminal. For `attach`, pass the `tty` of the container's spec. @defaultValue false */
  tty?: boolean | undefined;
  /** The initial size of the terminal. */
  terminalSize?: TerminalSize | undefined;
}

/** Options of `attach`. */
export interface AttachOptions extends SessionOptions, StreamOptions {}

/** Options of `exec`. */
export interface ExecOptions extends SessionOptions, StreamOptions {
  /**
   * Limits how long the command may run, in seconds; 0 for no limit. At the limit the client kills the command, and the session
   * fails with `COMMAND_TIMED_OUT`, as `execSync` does. CRI has no time limit for sessions, so the client kills the command in
   * the same way as {@link killOnAbort}, and the container must have the same programs. For a container without a shell, use
   * `execSync`: the runtime enforces its limit.
   *
   * @defaultValue 0
   */
  commandTimeoutSeconds?: number | undefined;
  /**
   * Kills the command and the processes that it started when `signal` aborts, or at `timeoutMs` or `deadline`. Without this option,
   * on containerd and CRI-O, the command keeps running after the session ends.
   *
   * The container must have `sh`, `grep` and `kill`: `sh` starts the command with a mark in its environment, and the client finds
   * the processes by this mark. If the program does not exist, the exit code is therefore 127, as shells report it, and the session
   * does not fail with `COMMAND_NOT_FOUND`.
   *
   * @defaultValue false
   */
  killOnAbort?: boolean | undefined;
}

const terminalSizeFields: FieldsOf<TerminalSize> = { columns: true, rows: true };

export const attachFields: FieldsOf<AttachOptions> = {
  stdin: true,
  stdout: true,
  stderr: true,
  tty: true,
  terminalSize: true,
  ...sessionFields,
};

export const execFields: FieldsOf<ExecOptions> = {
  commandTimeoutSeconds: true,
  killOnAbort: true,
  ...attachFields,
};

/** The value of a boolean option: `Default` if the options leave it out, `boolean` if their type allows both values. */
type Flag<O, K extends string, Default extends boolean> = K extends keyof O
  ? Exclude<O[K], undefined> | (undefined extends O[K] ? Default : never)
  : Default;

type Opened<Flag, Stream> = Flag extends true ? Stream : null;
type Not<Flag> = Flag extends true ? false : true;

/** Standard input of a session with the options `O`. */
export type StdinOf<O> = Opened<Flag<O, "stdin", false>, Writable>;
/** Standard output of a session with the options `O`. */
export type StdoutOf<O> = Opened<Flag<O, "stdout", true>, Readable>;
/** Standard error of a session with the options `O`. */
export type StderrOf<O> = Opened<Flag<O, "stderr", Not<Flag<O, "tty", false>>>, Readable>;

/**
 * Options of the inferred type `O`, without keys that `Known` does not have. TypeScript accepts unknown keys in a type parameter.
 */
export type Exactly<O, Known> = O & { readonly [K in Exclude<keyof O, keyof Known>]: never };

/** Applies the defaults of the stream options. @throws InvalidInputError if no runtime accepts the combination */
export function checkStreams(options: StreamOptions) {
  checkOptions(options.terminalSize, terminalSizeFields, "terminalSize");
  const { stdin = false, stdout = true, tty = false, stderr = !tty } = options;
  if (tty && stderr) {
    throw new InvalidInputError({ field: "stderr", message: "must be false with tty: a terminal merges both outputs" });
  }
  if (!stdin && !stdout && !stderr) {
    throw new InvalidInputError({ field: "stdin, stdout, stderr", message: "one of them must be true" });
  }
  return { stdin, stdout, stderr, tty };
}
