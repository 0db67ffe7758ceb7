import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { CriError } from "../../errors.js";
import { startTimer } from "../../internal/timer.js";
import { isInputUnread } from "../../rpcs/error-messages/command-end.js";
import { refineCode } from "../../rpcs/error-messages/refine-code.js";
import type { RemoteCommand, RemoteStatus, StreamTransport, TerminalSize } from "../../streaming/transport.js";
import { checkStarted } from "./exec-result.js";

/** What exec and attach sessions have in common. */
export abstract class StreamSession implements AsyncDisposable {
  /**
   * Standard input; null unless asked for. Ending it reaches the process where {@link canHalfCloseStdin}, and is an `UNIMPLEMENTED`
   * error of the stream elsewhere, while the session goes on. Writes after the end of the process fail with `EPIPE`.
   */
  readonly stdin: Writable | null;
  /** Standard output, or that of the terminal; null if not asked for. Unread, it makes the process block when buffers are full. */
  readonly stdout: Readable | null;
  /** Standard error; null with `tty` and if not asked for. Unread, it makes the process block when buffers are full. */
  readonly stderr: Readable | null;
  /** The wire protocol in use. */
  readonly transport: StreamTransport;
  /**
   * Whether the process can see the end of {@link stdin} while its output and exit code still arrive. So it is over SPDY; over
   * WebSocket closing the session is the only end there is.
   */
  readonly canHalfCloseStdin: boolean;
  readonly #command: RemoteCommand;

  /** @internal */
  constructor(command: RemoteCommand) {
    this.#command = command;
    this.stdin = command.stdin;
    this.stdout = command.stdout;
    this.stderr = command.stderr;
    this.transport = command.transport;
    this.canHalfCloseStdin = command.canHalfCloseStdin;
  }

  /**
   * How many bytes of output arrived after the end of their stream and were dropped. CRI-O may end the output of a terminal before
   * it has sent all of it; Go's clients drop the rest without a word.
   */
  get droppedBytes(): number {
    return this.#command.droppedBytes;
  }

  /** Tells the terminal's size; without effect unless the session has a `tty`. */
  resize(size: TerminalSize): void {
    this.#command.resize(size);
  }

  /**
   * Ends the session at once. The process is not told: containerd and CRI-O let it run on. Does nothing to a session that has
   * ended.
   */
  async close(): Promise<void> {
    this.#command.destroy();
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal The server's status. It comes behind all output on the wire, so what has not been read by then is here and can
   * still be read.
   */
  protected async settle(): Promise<RemoteStatus> {
    const { status, stdin, stdout, stderr } = this.#command;
    let settled = false;
    let stopTimer = () => {};
    if (stdin && (stdout || stderr)) {
      const giveUp = () => {
        if (settled || this.#command.stdinBytes < swallowedBytes) return;
        stopTimer = startTimer(statusTimeoutMs, () => this.#command.destroy(statusMissing()));
      };
      Promise.all([drained(stdout), drained(stderr)]).then(giveUp, () => {});
    }
    try {
      return await status;
    } finally {
      settled = true;
      stopTimer();
    }
  }
}

/** A command that runs in a container, with its streams. */
export class ExecSession extends StreamSession {
  /**
   * Resolves with the exit code once the process has ended and all its output has arrived; what has not been read yet can still be
   * read. Output beyond what the streams buffer has to be read for that. Rejects when the command could not be run (code
   * `COMMAND_NOT_FOUND` if there is no such executable), when the session breaks or is closed before that, and with the signal's
   * reason when it is aborted. Never rejects unheard: not looking at it is fine.
   */
  readonly exit: Promise<{ exitCode: number }>;

  /**
   * @internal
   * @param program the first word of the command
   */
  constructor(command: RemoteCommand, program: string) {
    super(command);
    this.exit = this.settle().then((status) => {
      if (status.kind === "exited") {
        checkStarted(status.exitCode, command.shortOutput, { method: "RuntimeService/Exec", program });
        return { exitCode: status.exitCode };
      }
      if (isInputUnread(status.message)) throw inputUnread(status.message);
      throw new CriError({
        code: refineCode("UNKNOWN", "RuntimeService/Exec", status.message),
        message: status.message || "the runtime could not run the command and does not say why",
        method: "RuntimeService/Exec",
        attempts: 1,
        mayHaveTakenEffect: true,
      });
    });
    this.exit.catch(() => {});
  }
}

/** A session with the main process of a container. */
export class AttachSession extends StreamSession {
  /**
   * Resolves when the process has closed its output, usually because it ended, and that output has arrived. The exit code
   * is the container's: `container.wait()`. Rejects as {@link ExecSession.exit} does.
   */
  readonly ended: Promise<void>;

  /** @internal */
  constructor(command: RemoteCommand) {
    super(command);
    this.ended = this.settle().then((status) => {
      if (status.kind === "exited") return;
      throw new CriError({
        code: refineCode("UNKNOWN", "RuntimeService/Attach", status.message),
        message: status.message || "the runtime ended the session and does not say why",
        method: "RuntimeService/Attach",
        attempts: 1,
      });
    });
    this.ended.catch(() => {});
  }
}

/** What always fits into the pipe to the command, read or not. */
const swallowedBytes = 65_536;

/**
 * How long the status may take after all output has ended, for a session with much input. containerd does not notice the end of a
 * command that left much of its input unread: its copy into the full pipe waits for a reader that is gone.
 */
const statusTimeoutMs = 20_000;

/** Nothing else tells the exit code: the command is not an object of CRI that could be asked for. */
function inputUnread(said: string): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      "the command left input unread, and CRI-O does not report the exit code then; " +
      `let the command read all of its input, or send less: ${said}`,
    method: "RuntimeService/Exec",
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

function statusMissing(): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      `the command's output has ended, but the runtime has not told its exit code for ${statusTimeoutMs / 1_000} s; ` +
      "containerd never does for a command that ends with much of its input unread",
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

async function drained(stream: Readable | null): Promise<void> {
  if (stream && !stream.readableEnded) await finished(stream, { writable: false });
}
