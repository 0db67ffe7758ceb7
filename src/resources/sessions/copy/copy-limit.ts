import { CriError } from "../../../errors.js";
import { linkAbort } from "../../../internal/abort.js";
import { startTimer } from "../../../internal/timer.js";
import { pinDeadline } from "../../../rpcs/budget.js";
import type { ClientContext } from "../../context.js";
import type { CopyOptions } from "./container-commands.js";

/** Ends a copy: by the caller's signal, at its deadline, or when the client is closed. */
export class CopyLimit implements Disposable {
  /** Aborts when the copy must end. The copy rejects with its reason. */
  readonly signal: AbortSignal;
  readonly #dispose: () => void;

  constructor({ connection }: ClientContext, options: CopyOptions) {
    const { signal, deadline } = pinDeadline(options);
    const link = linkAbort(signal ?? connection.signal, ...connection.closing);
    const stopTimer = deadline
      ? startTimer(deadline.getTime() - Date.now(), () => link.abort(timedOut(connection.endpoint)))
      : () => {};
    this.signal = link.signal;
    this.#dispose = () => {
      stopTimer();
      link.unlink();
    };
  }

  /** Stops the timer, and removes the listeners from the caller's signal. */
  [Symbol.dispose](): void {
    this.#dispose();
  }
}

function timedOut(endpoint: string): CriError {
  return new CriError({
    code: "DEADLINE_EXCEEDED",
    message: "the copy did not end within timeoutMs or deadline",
    method: "RuntimeService/Exec",
    endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
  });
}
