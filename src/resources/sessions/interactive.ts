import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { ClientContext } from "../context.js";
import { attach, exec } from "./exec.js";
import { type SessionOptions, sessionFields } from "./open-session.js";
import type { ExecOptions } from "./stream-options.js";
import { parseDetachKeys } from "./terminal/detach-keys.js";
import { runTerminal, type TerminalOptions } from "./terminal/terminal.js";

/** The common options of `execInteractive` and `attachInteractive`. */
interface InteractiveOptions
  extends SessionOptions,
    Pick<TerminalOptions, "input" | "output" | "stderr" | "detachKeys"> {
  /**
   * Whether the process gets the input. If false, the input is not read, keeps its mode, and there are no detach keys.
   *
   * @defaultValue true
   */
  stdin?: boolean | undefined;
  /** Cancels opening the session, or ends an open session. The call then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** Options of `execInteractive`. */
export interface ExecInteractiveOptions
  extends InteractiveOptions,
    Pick<ExecOptions, "commandTimeoutSeconds" | "killOnAbort"> {
  /**
   * Whether the command gets a terminal. If false, the local terminal keeps its mode, there are no default detach keys, and
   * standard error is a separate stream.
   *
   * @defaultValue true if the input is a terminal and `stdin` is not false
   */
  tty?: boolean | undefined;
}

/** Options of `attachInteractive`. */
export interface AttachInteractiveOptions extends InteractiveOptions {
  /** Whether the container was created with a terminal. Must match the container. @defaultValue true */
  tty?: boolean | undefined;
}

const attachInteractiveFields: FieldsOf<AttachInteractiveOptions> = {
  stdin: true,
  tty: true,
  detachKeys: true,
  input: true,
  output: true,
  stderr: true,
  ...sessionFields,
};

const execInteractiveFields: FieldsOf<ExecInteractiveOptions> = {
  commandTimeoutSeconds: true,
  killOnAbort: true,
  ...attachInteractiveFields,
};

/** The exit code of an interactive command, or `detached: true` if the detach keys were typed. */
export type ExecInteractiveResult = { detached: false; exitCode: number } | { detached: true };

/**
 * Runs a command in a container on the local terminal, as `docker exec -it` does. If the input is not a terminal, the command uses
 * pipes. Resolves when the command has ended and all its output is written, or when the detach keys are typed. After detaching, the
 * command keeps running on containerd and CRI-O, and you cannot attach to it again. In all cases, the local terminal is restored.
 *
 * The output of the command is passed on unchanged, including control sequences, so connect your terminal only to containers that
 * you trust. Modes that the command leaves on, such as the alternate screen, a hidden cursor or mouse reports, are reset at the
 * end.
 *
 * @throws InvalidInputError before any I/O. Otherwise the errors of `exec`, the error that breaks the session, the signal's reason,
 *   or the error of a local stream; the command may then keep running.
 */
export async function execInteractive(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecInteractiveOptions = {},
): Promise<ExecInteractiveResult> {
  checkOptions(options, execInteractiveFields);
  parseDetachKeys(options.detachKeys ?? false);
  const { stdin = true } = options;
  const { tty = stdin && (options.input ?? process.stdin).isTTY === true } = options;
  const session = await exec(context, containerId, command, { ...options, stdin, stderr: !tty, tty });
  const { detached } = await runTerminal(session, { ...options, tty });
  return detached ? { detached } : { detached, ...(await session.exit) };
}

/**
 * Connects the local terminal to the main process of a container, as `docker attach` and `kubectl attach -it` do. Resolves when the
 * process has closed its output, or when the detach keys are typed. After detaching, the process keeps running and you can attach
 * to it again. In all cases, the local terminal is restored. For the exit code, call `container.wait()`.
 *
 * @throws InvalidInputError before any I/O. Otherwise the errors of `attach`, the error that breaks the session, the signal's
 *   reason, or the error of a local stream; the process then keeps running.
 */
export async function attachInteractive(
  context: ClientContext,
  containerId: string,
  options: AttachInteractiveOptions = {},
): Promise<{ detached: boolean }> {
  checkOptions(options, attachInteractiveFields);
  parseDetachKeys(options.detachKeys ?? false);
  const { stdin = true, tty = true } = options;
  const session = await attach(context, containerId, { ...options, stdin, stderr: !tty, tty });
  return runTerminal(session, { ...options, tty });
}
