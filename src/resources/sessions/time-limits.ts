import { CriError } from "../../errors.js";
import { linkAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import type { RemoteCommand, SessionOrigin } from "../../streaming/transport.js";
import type { ClientContext } from "../context.js";
import type { SessionOptions } from "./open-session.js";

/**
 * The time limits of an exec or attach session: the deadline of the session, and the time limit of the command, which starts when
 * the session is open.
 */
export class TimeLimits {
  /** Aborts when the caller's signal does, and at either limit. */
  readonly signal: AbortSignal;
  /** Aborts when the command has reached its time limit. */
  readonly commandTimedOut: AbortSignal;
  readonly #link: ReturnType<typeof linkAbort>;
  readonly #command = new AbortController();
  readonly #origin: SessionOrigin;
  readonly #deadline: Date | undefined;
  readonly #commandSeconds: number;

  /** @param commandSeconds how long the command may run; 0 for no limit */
  constructor(
    { connection }: ClientContext,
    origin: SessionOrigin,
    { signal, deadline }: SessionOptions,
    commandSeconds: number,
  ) {
    this.#origin = origin;
    this.commandTimedOut = this.#command.signal;
    this.#link = linkAbort(signal ?? connection.signal, this.#command.signal);
    this.signal = this.#link.signal;
    this.#deadline = deadline;
    this.#commandSeconds = commandSeconds;
  }

  /** Starts the timers when the session is open. */
  start({ status, closed }: RemoteCommand): void {
    if (this.#commandSeconds > 0) {
      const onTimeout = () => this.#command.abort(commandTimedOut(this.#commandSeconds).during(this.#origin));
      const stopTimer = startTimer(this.#commandSeconds * 1_000, onTimeout);
      // The limit does not include the time to read the rest of the output.
      status.then(stopTimer, stopTimer);
    }
    const stopTimer = this.#deadline
      ? startTimer(this.#deadline.getTime() - Date.now(), () =>
          this.#link.abort(sessionTimedOut().during(this.#origin)),
        )
      : () => {};
    void closed.then(() => {
      stopTimer();
      this.release();
    });
  }

  /** Removes the listeners from the caller's signal. */
  release(): void {
    this.#link.unlink();
  }
}

function commandTimedOut(seconds: number): CriError {
  return new CriError({
    code: "COMMAND_TIMED_OUT",
    message: `the command did not end within ${seconds} s and is killed`,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}

function sessionTimedOut(): CriError {
  return new CriError({
    code: "DEADLINE_EXCEEDED",
    message: "the session did not end within its timeoutMs or deadline",
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}
