import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { CriError } from "../../errors.js";
import { startTimer } from "../../internal/timer.js";
import { isInputUnread } from "../../rpcs/error-messages/command-end.js";
import { refineCode } from "../../rpcs/error-messages/refine-code.js";
import type {
  RemoteCommand,
  RemoteStatus,
  SessionOrigin,
  StreamTransport,
  TerminalSize,
} from "../../streaming/transport.js";
import { checkStarted } from "./exec-result.js";

/** The common part of exec and attach sessions. The type parameters are the types of its streams, which follow the options. */
export abstract class StreamSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> implements AsyncDisposable
{
  /**
   * Standard input; null unless `stdin` was true. If {@link canHalfCloseStdin}, ending this stream ends the input of the process.
   * Otherwise ending it fails with `UNIMPLEMENTED`, and the session continues. Writes after the end of the process fail with
   * `EPIPE`.
   */
  readonly stdin: In;
  /**
   * Standard output, or the terminal's output; null if `stdout` was false. If it is not read, the process blocks on full buffers.
   */
  readonly stdout: Out;
  /** Standard error; null with `tty`, or if `stderr` was false. If it is not read, the process blocks on full buffers. */
  readonly stderr: Err;
  /** The wire protocol in use. */
  readonly transport: StreamTransport;
  /**
   * Whether {@link stdin} can be ended while output and the exit code still arrive. True over SPDY. Over WebSocket the input ends
   * only when the session is closed.
   */
  readonly canHalfCloseStdin: boolean;
  readonly #command: RemoteCommand;
  readonly #origin: SessionOrigin;

  /** @internal */
  constructor(command: RemoteCommand, origin: SessionOrigin) {
    this.#command = command;
    this.#origin = origin;
    // The command has the streams that the options selected.
    this.stdin = command.stdin as In;
    this.stdout = command.stdout as Out;
    this.stderr = command.stderr as Err;
    this.transport = command.transport;
    this.canHalfCloseStdin = command.canHalfCloseStdin;
  }

  /**
   * The number of bytes that arrived after the end of their output stream and were dropped. CRI-O may end the output of a
   * terminal before it has sent all of it; clients written in Go drop the rest silently.
   */
  get droppedBytes(): number {
    return this.#command.droppedBytes;
  }

  /** @internal The RPC and the endpoint, for errors of the session. */
  get origin(): SessionOrigin {
    return this.#origin;
  }

  /** Resizes the terminal. Has no effect unless the session has a `tty`. */
  resize(size: TerminalSize): void {
    this.#command.resize(size);
  }

  /**
   * Ends the session at once. The process receives no signal: on containerd and CRI-O it keeps running. Does nothing if the session
   * has already ended.
   */
  async close(): Promise<void> {
    this.#command.destroy();
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * @internal Waits for the server's status. The server sends it after all output, so any unread output is already buffered and
   * can still be read.
   */
  protected async settle(): Promise<RemoteStatus> {
    const { status, stdin, stdout, stderr } = this.#command;
    let settled = false;
    let stopTimer = () => {};
    if (stdin && (stdout || stderr)) {
      const giveUp = () => {
        if (settled || this.#command.stdinBytes < pipeBytes) return;
        stopTimer = startTimer(statusTimeoutMs, () => this.#command.destroy(statusMissing().during(this.#origin)));
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
export class ExecSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> extends StreamSession<In, Out, Err> {
  /**
   * Resolves with the exit code when the process has ended and all its output has arrived. Unread output can still be read
   * afterwards. Output that exceeds the buffers of the streams must be read first, or this never resolves.
   *
   * Rejects if the command could not be run, with code `COMMAND_NOT_FOUND` if the executable does not exist. Also rejects if the
   * session breaks or is closed first, and with the signal's reason if the signal aborts. You may ignore this promise: it never
   * causes an unhandled rejection.
   */
  readonly exit: Promise<{ exitCode: number }>;

  /**
   * @internal
   * @param program the first element of the command
   */
  constructor(command: RemoteCommand, origin: SessionOrigin, program: string) {
    super(command, origin);
    this.exit = this.settle().then((status) => {
      if (status.kind === "exited") {
        checkStarted(status.exitCode, command.shortOutput, { ...origin, program });
        return { exitCode: status.exitCode };
      }
      if (isInputUnread(status.message)) throw inputUnread(status.message).during(origin);
      throw new CriError({
        ...origin,
        code: refineCode("UNKNOWN", origin.method, status.message),
        message: status.message || "the runtime could not run the command and does not say why",
        attempts: 1,
        mayHaveTakenEffect: true,
      });
    });
    this.exit.catch(() => {});
  }
}

/** A session attached to the main process of a container. */
export class AttachSession<
  In extends Writable | null = Writable | null,
  Out extends Readable | null = Readable | null,
  Err extends Readable | null = Readable | null,
> extends StreamSession<In, Out, Err> {
  /**
   * Resolves when the process has closed its output, usually because it ended, and all output has arrived. For the exit code,
   * call `container.wait()`. Rejects in the same cases as {@link ExecSession.exit}.
   */
  readonly ended: Promise<void>;

  /** @internal */
  constructor(command: RemoteCommand, origin: SessionOrigin) {
    super(command, origin);
    this.ended = this.settle().then((status) => {
      if (status.kind === "exited") return;
      throw new CriError({
        ...origin,
        code: refineCode("UNKNOWN", origin.method, status.message),
        message: status.message || "the runtime ended the session and does not say why",
        attempts: 1,
      });
    });
    this.ended.catch(() => {});
  }
}

/** The size of the pipe to the command, in bytes. That much input fits whether or not the command reads it. */
const pipeBytes = 65_536;

/**
 * How long the status may take after all output has ended, in milliseconds, for a session with more input than the pipe holds. If a
 * command ends without reading so much input, containerd never reports its end, because writing to the full pipe blocks forever.
 */
const statusTimeoutMs = 20_000;

/** Creates the error for a lost exit code. CRI has no RPC that returns the exit code of a command. */
function inputUnread(details: string): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      "the command left input unread, and CRI-O does not report the exit code then; " +
      `let the command read all of its input, or send less: ${details}`,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

function statusMissing(): CriError {
  return new CriError({
    code: "UNAVAILABLE",
    message:
      `the command's output has ended, but the runtime has not reported its exit code for ${statusTimeoutMs / 1_000} s; ` +
      "containerd never does if a command ends with much of its input unread",
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

async function drained(stream: Readable | null): Promise<void> {
  if (stream && !stream.readableEnded) await finished(stream, { writable: false });
}
