import { ServerError, Status } from "nice-grpc-common";
import { onAbort } from "../../internal/abort.js";
import type { Clock } from "../state/clock.js";
import type { IncomingCall } from "../wire/incoming-call.js";
import type { FaultPhase } from "./fault.js";
import type { CallFaults } from "./queue.js";

/** Thrown past the handler after the connection was broken off: there is nobody left to answer. */
export class Dropped extends Error {}

/** A failure with trailing metadata. */
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
 * Does to a call what its faults have in store for a phase.
 *
 * @param signal ends the waiting: that of the call, or for work that goes on without its client that of the server
 */
export async function strike(
  faults: CallFaults,
  phase: FaultPhase,
  call: IncomingCall,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  for (const fault of faults.at(phase)) {
    const { action } = fault;
    // These strike the answer, when there is one.
    if (action.kind === "respond" || action.kind === "oversize" || action.kind === "slow") continue;
    faults.note(fault);
    switch (action.kind) {
      case "delay":
        await clock.sleep(action.ms, signal);
        break;
      case "fail":
        throw new ScriptedFailure(Status[action.code], action.message, action.trailers);
      case "hang": {
        // Not even the deadline is answered: only the client's going away ends it, or the limit.
        const gone = new AbortController();
        void (signal === call.signal ? call.closed : aborted(signal)).then(() => gone.abort(signal.reason));
        await clock.sleep(action.ms ?? Infinity, gone.signal);
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
