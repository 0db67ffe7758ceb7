import { ServerError, Status } from "nice-grpc-common";
import { onAbort } from "../../internal/abort.js";
import type { Clock } from "../state/clock.js";
import type { IncomingCall } from "../wire/incoming-call.js";
import type { FaultPhase } from "./fault.js";
import type { CallFaults } from "./queue.js";

/** Thrown after the connection was broken, so that the dispatcher sends no reply. */
export class Dropped extends Error {}

/** A failure that a test requested, with trailing metadata. */
export class ScriptedFailure extends ServerError {
  constructor(
    code: Status,
    details: string,
    readonly trailers: Readonly<Record<string, string>>,
  ) {
    super(code, details);
  }
}

/**
 * Injects the faults of a phase into a call.
 *
 * @param signal ends delays and hangs. It is the signal of the call, or of the server for work that survives its client
 */
export async function injectFaults(
  faults: CallFaults,
  phase: FaultPhase,
  call: IncomingCall,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  for (const fault of faults.at(phase)) {
    const { action } = fault;
    // ReplySender applies these.
    if (action.kind === "respond" || action.kind === "oversize" || action.kind === "slow") continue;
    faults.record(fault);
    switch (action.kind) {
      case "delay":
        await clock.sleep(action.ms, signal);
        break;
      case "fail":
        throw new ScriptedFailure(Status[action.code], action.message, action.trailers);
      case "hang": {
        // A hang ends at its limit, or when the client cancels or disconnects. The deadline does not end it.
        const closed = new AbortController();
        void (signal === call.signal ? call.closed : aborted(signal)).then(() => closed.abort(signal.reason));
        await clock.sleep(action.ms ?? Infinity, closed.signal);
        signal.throwIfAborted();
        break;
      }
      case "drop":
        call.connection.destroy();
        throw new Dropped();
      case "restart":
        action.restart();
        throw new Dropped();
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else onAbort(signal, resolve);
  });
}
