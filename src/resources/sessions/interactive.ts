import type { ClientContext } from "../context.js";
import { attach, exec } from "./exec.js";
import type { SessionOptions } from "./open-session.js";
import { parseDetachKeys, runTerminal, type TerminalOptions } from "./terminal.js";

/** Options of execInteractive. */
export interface ExecInteractiveOptions
  extends SessionOptions,
    Pick<TerminalOptions, "input" | "output" | "stderr" | "detachKeys"> {
  /** Cancels opening the session, and ends it later: the call then rejects with `signal.reason`. */
  signal?: AbortSignal | undefined;
  /**
   * Whether the command gets a terminal. Without, the local one keeps its mode, there are no detach keys unless given, and standard
   * error comes apart.
   *
   * @defaultValue whether the input is a terminal
   */
  tty?: boolean | undefined;
}

/** Options of attachInteractive. */
export interface AttachInteractiveOptions extends ExecInteractiveOptions {
  /** Whether the container was created with a terminal; tell it as it is. @defaultValue true */
  tty?: boolean | undefined;
}

/** How an interactive command ended, or that it was left running. */
export type ExecInteractiveResult = { detached: false; exitCode: number } | { detached: true };

/**
 * Runs a command in a container on the local terminal, as `docker exec -it` does, or on pipes where the input is none. Resolves
 * when the command has ended and all its output is written, or when the detach keys were typed: containerd and CRI-O let the command run on then,
 * and there is no coming back to it. However it ends, the local terminal is as it was before.
 *
 * What the command writes is passed on as it is, control sequences included: give no container a terminal that you would not give to
 * its programs. Modes that it leaves on (the alternate screen, a hidden cursor, reports of the mouse and the like) are set back at the end.
 *
 * @throws InvalidInputError before any I/O; otherwise what `exec` throws, what breaks the session, the signal's reason, or the
 * error of a local stream. The command may run on then.
 */
export async function execInteractive(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecInteractiveOptions = {},
): Promise<ExecInteractiveResult> {
  parseDetachKeys(options.detachKeys ?? false);
  const { tty = (options.input ?? process.stdin).isTTY === true } = options;
  const session = await exec(context, containerId, command, { ...options, stdin: true, stderr: !tty, tty });
  const { detached } = await runTerminal(session, { ...options, tty });
  return detached ? { detached } : { detached, ...(await session.exit) };
}

/**
 * Connects the local terminal to the main process of a container, as `docker attach` and `kubectl attach -it` do. Resolves when
 * the process has closed its output, or when the detach keys were typed: the process then runs on and can be attached to again.
 * However it ends, the local terminal is as it was before. The exit code is the container's: `container.wait()`.
 *
 * @throws InvalidInputError before any I/O; otherwise what `attach` throws, what breaks the session, the signal's reason, or the
 * error of a local stream. The process runs on then.
 */
export async function attachInteractive(
  context: ClientContext,
  containerId: string,
  options: AttachInteractiveOptions = {},
): Promise<{ detached: boolean }> {
  parseDetachKeys(options.detachKeys ?? false);
  const { tty = true } = options;
  const session = await attach(context, containerId, { ...options, stdin: true, stderr: !tty, tty });
  return runTerminal(session, { ...options, tty });
}
