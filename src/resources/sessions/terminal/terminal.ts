import type { Writable } from "node:stream";
import { onAbort } from "../../../internal/abort.js";
import { waitAtMost } from "../../../internal/timer.js";
import type { SessionOrigin } from "../../../streaming/transport.js";
import type { StreamSession } from "../session.js";
import { DetachKeys, parseDetachKeys } from "./detach-keys.js";
import { makeRaw, sendKeys, type TerminalInput } from "./input.js";
import { TerminalModes } from "./modes.js";
import { copyOutput, resetModes, resetModesAtExit, sendSize, type TerminalOutput, watchOutput } from "./output.js";

/** The local streams and keys of an interactive session. */
export interface TerminalOptions {
  /** The input for the command. No other code should read it during the session. @defaultValue process.stdin */
  input?: TerminalInput | undefined;
  /** The destination of the command's output. It is never ended. @defaultValue process.stdout */
  output?: TerminalOutput | undefined;
  /** The destination of standard error, if the session has it separately. It is never ended. @defaultValue process.stderr */
  stderr?: Writable | undefined;
  /**
   * The keys that end the session while the command keeps running, in Docker's format: separated by commas, each `ctrl-` with one
   * of `a-z @ [ \ ] ^ _`, or a single ASCII character. `false` and `""` mean no keys. Typed keys that may be the beginning of the
   * detach keys are held back until the next key.
   *
   * @defaultValue "ctrl-p,ctrl-q"; no keys without `tty`
   */
  detachKeys?: string | false | undefined;
  /**
   * Whether the command has a terminal. If false, the local terminal keeps its mode and its size is not sent.
   *
   * @defaultValue true
   */
  tty?: boolean | undefined;
  /** Ends the session. */
  signal?: AbortSignal | undefined;
}

/** The part of exec and attach sessions that {@link runTerminal} uses. */
export type TerminalSession = Pick<
  StreamSession,
  "stdin" | "stdout" | "stderr" | "canHalfCloseStdin" | "resize" | "close"
> & { readonly origin: SessionOrigin } & ({ readonly exit: Promise<unknown> } | { readonly ended: Promise<unknown> });

/** How long resetting the terminal may take, in milliseconds. */
const resetTimeoutMs = 1_000;

/**
 * Connects a local terminal to a session until the command ends or the detach keys are typed.
 *
 * During the session, an input that is a terminal is in raw mode: every key reaches the command, including ctrl-c. The size of the
 * output is sent at once and whenever it changes. With `tty`, the end of the input is typed as ctrl-d, repeatedly until the command
 * ends, because on containerd ending the stream would lose output of the terminal. Without `tty`, the end is passed on if the
 * session `canHalfCloseStdin`, and otherwise fails.
 *
 * A session without `stdin` does not read the input, and leaves its mode unchanged.
 *
 * Resolves with `detached: false` when the command has ended and all its output is written. Resolves with `detached: true` when the
 * detach keys were typed and the keys before them are sent; bytes that follow them in the same chunk of input are lost. In all
 * cases the session is closed, the mode of the terminal is restored, and the input is paused unless it was flowing before.
 *
 * The output of the command is passed on unchanged, including control sequences. With `tty`, the client resets at the end what the
 * command has changed and not reset: the alternate screen, a hidden cursor, mouse reports, bracketed paste, attributes, the
 * character set, the scroll region, keyboard modes. A title and redefined colours stay.
 *
 * The terminal is also reset if the process exits during the session, even after an uncaught exception. If a signal kills the
 * process, Node.js restores only the mode of the input, and only for SIGINT and SIGTERM. After other signals, such as SIGHUP and
 * SIGQUIT, use the command `reset`.
 *
 * @throws InvalidInputError if `detachKeys` is malformed, before any other action. Otherwise the error that ended the session
 *   early: the session's own error, the signal's reason, or the error of a local stream
 */
export async function runTerminal(
  session: TerminalSession,
  options: TerminalOptions = {},
): Promise<{ detached: boolean }> {
  const { input = process.stdin, output = process.stdout, tty = true, signal } = options;
  const detachKeys = new DetachKeys(parseDetachKeys(options.detachKeys ?? (tty ? "ctrl-p,ctrl-q" : false)));
  const stderr = session.stderr && (options.stderr ?? process.stderr);
  const ended = "exit" in session ? session.exit : session.ended;
  const modes = tty ? new TerminalModes() : undefined;
  const cleanUps: (() => void)[] = [];
  let keysFlushed = Promise.resolve();
  try {
    signal?.throwIfAborted();
    const detached = await new Promise<boolean>((resolve, reject) => {
      if (signal) cleanUps.push(onAbort(signal, () => reject(signal.reason)));
      const copied = Promise.all([
        copyOutput(session.stdout, output, reject, modes),
        copyOutput(session.stderr, stderr, reject),
      ]);
      // If an output breaks, `ended` reports the reason.
      copied.catch(() => {});
      ended.then(() => copied).then(() => resolve(false), reject);
      for (const stream of [output, stderr]) if (stream) cleanUps.push(watchOutput(stream, reject));
      const onDetach = (flushed: Promise<void>) => {
        keysFlushed = flushed;
        resolve(true);
      };
      if (session.stdin) cleanUps.push(sendKeys(input, session, { tty, detachKeys, onDetach, onError: reject }));
      if (tty) cleanUps.push(sendSize(output, session));
      if (tty && session.stdin) cleanUps.push(makeRaw(input));
      if (modes) cleanUps.push(resetModesAtExit(modes, output));
    });
    return { detached };
  } finally {
    // In reverse order, so that errors of the input are still handled while its mode is restored.
    for (const cleanUp of cleanUps.reverse()) cleanUp();
    await keysFlushed;
    await session.close();
    // If the session had already ended, its output may still be waiting here.
    session.stdout?.destroy();
    session.stderr?.destroy();
    // The reset is the last write to the output.
    if (modes) await waitAtMost(resetTimeoutMs, resetModes(modes, output));
  }
}
