import { Metadata } from "nice-grpc-common";
import { isTraced } from "../tracing/channels.js";
import type { Operation } from "../tracing/operation.js";
import { AttemptOperation, CallOperation } from "../tracing/operations.js";
import { outcomeOf, statusOf } from "../tracing/outcome.js";
import { subjectOf } from "../tracing/subject.js";
import { type CallTrace, callTrace, type Layer, replyListener } from "./wire-options.js";

/** Publishes each call to listeners of the diagnostics channels, with the attempts within it. */
export function callTracing(endpoint: string, next: Layer): Layer {
  const traced: Layer = async function* tracedCall(call, options) {
    const subject = subjectOf(call.requestStream ? undefined : call.request);
    const operation = new CallOperation(methodOf(call.method.path), endpoint, subject);
    // The facade sets a trace; the raw stubs do not.
    const trace: CallTrace = options[callTrace] ?? { attempts: 0, failures: [] };
    // A caller that stops reading a stream ends the call without an error.
    let [status, outcome] = ["OK", "OK"];
    operation.begin();
    try {
      const reply = yield* within(operation, next(call, Object.assign({}, options, { [callTrace]: trace })));
      if (reply) Object.assign(subject, subjectOf(reply), subject);
      return reply;
    } catch (error) {
      status = statusOf(error);
      outcome = trace.codeOf?.(error, trace) ?? outcomeOf(error, options.signal);
      throw error;
    } finally {
      operation.attempts = trace.attempts;
      operation.status = status;
      operation.finish(outcome);
    }
  };
  return (call, options) => (isTraced() ? traced : next)(call, options);
}

/** Publishes each attempt. Listeners can add metadata to it. */
export function attemptTracing(endpoint: string, next: Layer): Layer {
  const traced: Layer = async function* tracedAttempt(call, options) {
    const subject = subjectOf(call.requestStream ? undefined : call.request);
    const metadata = Metadata(options.metadata);
    const attempt = options[callTrace]?.attempts ?? 1;
    const operation = new AttemptOperation(methodOf(call.method.path), endpoint, subject, attempt, metadata);
    const given = Object.assign({}, options, {
      metadata,
      [replyListener]: (bytes: number) => {
        operation.receivedBytes += bytes;
      },
    });
    let [status, outcome] = ["OK", "OK"];
    operation.begin();
    try {
      return yield* within(operation, next(call, given));
    } catch (error) {
      // nice-grpc rejects some aborted calls with an error of its own. The reason says whether the deadline has passed.
      const cause = options.signal?.aborted ? options.signal.reason : error;
      status = statusOf(cause);
      outcome = outcomeOf(cause, options.signal);
      throw error;
    } finally {
      operation.status = status;
      operation.finish(outcome);
    }
  };
  return (call, options) => (isTraced() ? traced : next)(call, options);
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
