import { CriError } from "../errors.js";
import { NoLongerNeeded } from "../internal/abort.js";
import { isTraced } from "./channels.js";
import { SessionOperation } from "./operations.js";
import { finishWith, outcomeOf } from "./outcome.js";
import type { OperationSubject } from "./subject.js";

/** A session that is about to be opened. */
export interface SessionRequest {
  name: "exec" | "attach" | "portForward";
  endpoint: string;
  subject: OperationSubject;
  /** Cancels the session. */
  signal: AbortSignal | undefined;
  /** Whether the session continues independently of the operation that opens it. @defaultValue false */
  inBackground?: boolean;
}

/** What listeners learn about an open session. */
export interface OpenSession {
  transport: "spdy" | "websocket";
  /** Settles when the session has ended; that of a command may resolve with its `exitCode`. */
  ended: Promise<unknown>;
  /** Returns how many bytes the session has carried. */
  traffic(): { sentBytes: number; receivedBytes: number };
}

/** Opens a session, and publishes it from the beginning of the opening to the end of the session if something listens. */
export async function traceSession<T>(
  { name, endpoint, subject, signal, inBackground }: SessionRequest,
  open: () => Promise<T>,
  describe: (session: T) => OpenSession,
): Promise<T> {
  if (!isTraced()) return open();
  const operation = new SessionOperation(name, endpoint, subject, inBackground);
  try {
    const session = await operation.start(open);
    const { transport, ended, traffic } = describe(session);
    operation.transport = transport;
    const finish = (outcome: string, hasFailed: boolean, exitCode?: number) => {
      const { sentBytes, receivedBytes } = traffic();
      Object.assign(operation, { sentBytes, receivedBytes, exitCode });
      operation.finish(outcome, hasFailed);
    };
    ended.then(
      (end) => finish("OK", false, (end as { exitCode?: number } | undefined)?.exitCode),
      (error) => finish(outcomeOf(error, signal), !wasClosed(error, signal)),
    );
    return session;
  } catch (error) {
    finishWith(operation, error, signal);
    throw error;
  }
}

/** Returns whether the program itself closed the session, rather than aborting it. */
function wasClosed(error: unknown, signal: AbortSignal | undefined): boolean {
  return error instanceof NoLongerNeeded || (CriError.is(error, "CANCELLED") && !signal?.aborted);
}
