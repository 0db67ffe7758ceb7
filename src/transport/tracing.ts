import { ClientError, Metadata, Status } from "nice-grpc-common";
import { NoLongerNeeded, onAbort } from "../internal/abort.js";
import { isTraced } from "../tracing/channels.js";
import type { Operation } from "../tracing/operation.js";
import { AttemptOperation, CallOperation } from "../tracing/operations.js";
import { outcomeOf, statusOf } from "../tracing/outcome.js";
import { subjectOf } from "../tracing/subject.js";
import {
  type CallTrace,
  callTrace,
  type InternalExtension,
  type Layer,
  oneList,
  replyListener,
} from "./wire-options.js";

/** Publishes each call to listeners of the diagnostics channels, with the attempts within it. */
export function callTracing(endpoint: string, next: Layer): Layer {
  const traced: Layer = async function* tracedCall(call, options) {
    const subject = subjectOf(call.requestStream ? undefined : call.request);
    const operation = new CallOperation(methodOf(call.method.path), endpoint, subject);
    // The facade sets a trace; the raw stubs do not.
    const trace: CallTrace = options[callTrace] ?? { attempts: 0, failures: [] };
    const finish = (...how: Ending) => {
      operation.attempts = trace.attempts;
      end(operation, ...how);
    };
    const fail = (error: unknown) => {
      const outcome = trace.codeOf?.(error, trace) ?? outcomeOf(error, options.signal);
      finish(statusOf(error, options.signal), outcome, isFailure(error, options));
    };
    trace.endPublished = fail;
    operation.begin();
    try {
      const reply = yield* within(operation, next(call, Object.assign({}, options, { [callTrace]: trace })));
      if (reply) describeReply(operation, reply);
      finish(...succeeded);
      return reply;
    } catch (error) {
      fail(error);
      throw error;
    } finally {
      trace.endPublished = undefined;
      finish(...stopped);
    }
  };
  return (call, options) => (isTraced() ? traced : next)(call, options);
}

/** Publishes each attempt of a call that is published. Listeners can add metadata to it. */
export function attemptTracing(endpoint: string, next: Layer): Layer {
  const traced: Layer = async function* tracedAttempt(call, options) {
    const { signal, [callTrace]: trace } = options;
    const subject = subjectOf(call.requestStream ? undefined : call.request);
    const metadata = Metadata(options.metadata);
    const operation = new AttemptOperation(
      methodOf(call.method.path),
      endpoint,
      subject,
      trace?.attempts ?? 1,
      metadata,
    );
    const given = Object.assign({}, options, {
      metadata,
      [replyListener]: (bytes: number) => {
        operation.receivedBytes += bytes;
      },
    });
    const fail = (error: unknown) =>
      end(operation, statusOf(error, signal), outcomeOf(error, signal), isFailure(error, options));
    // The program may never read the end of a stream, so an abort ends both operations.
    const stopListening =
      call.responseStream && signal
        ? onAbort(signal, () => {
            fail(signal.reason);
            trace?.endPublished?.(signal.reason);
          })
        : () => {};
    operation.begin();
    try {
      const reply = yield* within(operation, next(call, given));
      end(operation, ...succeeded);
      return reply;
    } catch (error) {
      // nice-grpc rejects some aborted calls with an error of its own. The reason says whether the deadline has passed.
      fail(signal?.aborted ? signal.reason : error);
      throw error;
    } finally {
      stopListening();
      end(operation, ...stopped);
    }
  };
  return (call, options) => (options[callTrace]?.endPublished ? traced : next)(call, options);
}

type Ending = readonly [status: string | undefined, outcome: string, hasFailed: boolean];

const succeeded: Ending = ["OK", "OK", false];
/** How a stream ends that its caller stops reading. */
const stopped: Ending = ["CANCELLED", "CANCELLED", false];

/** Returns whether an error is a failure of the call. A list that the runtime cannot stream is fetched by another call. */
function isFailure(error: unknown, options: InternalExtension): boolean {
  if (error instanceof NoLongerNeeded) return false;
  return !(options[oneList] && error instanceof ClientError && error.code === Status.UNIMPLEMENTED);
}

/** Publishes the end of a call or an attempt, unless it has ended already. */
function end(operation: CallOperation | AttemptOperation, ...[status, outcome, hasFailed]: Ending): void {
  if (operation.outcome !== undefined) return;
  operation.status = status;
  operation.finish(outcome, hasFailed);
}

/** Adds the ids and the exit code in the reply to a call. */
function describeReply(operation: CallOperation, reply: object): void {
  Object.assign(operation.subject, subjectOf(reply), operation.subject);
  if (operation.name === "RuntimeService/ExecSync" && "exitCode" in reply) operation.exitCode = Number(reply.exitCode);
}

/** Runs the next layer as a part of an operation. */
async function* within<T, R>(
  operation: Operation,
  inner: AsyncGenerator<T, R, undefined>,
): AsyncGenerator<T, R, undefined> {
  let hasPaused = false;
  const step = () => {
    const result = operation.run(() => inner.next());
    if (!hasPaused) operation.pause();
    hasPaused = true;
    return result;
  };
  // A generator that throws is over, too.
  let isOver = true;
  try {
    for (;;) {
      const result = await step();
      if (result.done) return result.value;
      isOver = false;
      yield result.value;
      isOver = true;
    }
  } finally {
    if (!isOver) await operation.run(() => inner.return(undefined as R));
  }
}

function methodOf(path: string): string {
  return path.replace(/^\/runtime\.v1\./, "");
}
