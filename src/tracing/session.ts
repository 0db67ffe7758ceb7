import { isTraced } from "./channels.js";
import { SessionOperation } from "./operations.js";
import { outcomeOf } from "./outcome.js";
import type { OperationSubject } from "./subject.js";

/** A session that is about to be opened. */
export interface SessionRequest {
  name: "exec" | "attach" | "portForward";
  endpoint: string;
  subject: OperationSubject;
  /** Cancels the session. */
  signal: AbortSignal | undefined;
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
  { name, endpoint, subject, signal }: SessionRequest,
  open: () => Promise<T>,
  describe: (session: T) => OpenSession,
): Promise<T> {
  if (!isTraced()) return open();
  const operation = new SessionOperation(name, endpoint, subject);
  try {
    const session = await operation.start(open);
    const { transport, ended, traffic } = describe(session);
    operation.transport = transport;
    const finish = (outcome: string, exitCode?: number) => {
      const { sentBytes, receivedBytes } = traffic();
      Object.assign(operation, { sentBytes, receivedBytes, exitCode });
      operation.finish(outcome);
    };
    ended.then(
      (end) => finish("OK", (end as { exitCode?: number } | undefined)?.exitCode),
      (error) => finish(outcomeOf(error, signal)),
    );
    return session;
  } catch (error) {
    operation.finish(outcomeOf(error, signal));
    throw error;
  }
}
