import { AsyncLocalStorage } from "node:async_hooks";
import { type OperationKind, publish } from "./channels.js";
import { processWide } from "./process-wide.js";
import type { OperationSubject } from "./subject.js";

/** The operation that the current code is part of. Entered only while something listens. */
const current = new AsyncLocalStorage<Operation>();

const ids = processWide("operations", () => ({ last: 0 }));

/** Returns the operation that the current code is part of, if something listened to its start. */
export function currentOperation(): Operation | undefined {
  return current.getStore();
}

/** Calls the given work, for example in a context of its own, and returns its result. */
export type RunWithin = <T>(work: () => T) => T;

/**
 * The message of all diagnostics channels. The client creates one object for each operation, and publishes the same object at the
 * start and at the end of the operation.
 *
 * It contains only names, ids, sizes and times. It never contains requests, replies, commands, environment variables, credentials,
 * metadata, URLs of sessions or error messages.
 */
export abstract class Operation {
  /** The kind of the operation, which is also the end of the channel's name. */
  abstract readonly kind: OperationKind;
  /** The number of the operation in this process. */
  readonly id = ++ids.last;
  /**
   * The RPC of calls and attempts, such as `RuntimeService/Version`; `exec`, `attach` or `portForward` for sessions; the method of
   * this package for workflows, such as `containers.run`.
   */
  readonly name: string;
  /** The endpoint in its canonical spelling. */
  readonly endpoint: string;
  /** The objects that the operation is about. */
  readonly subject: OperationSubject;
  /** The operation that this one is a part of. Operations on channels of other kinds count, too. */
  readonly parent: Operation | undefined;
  /** Whether it is a step of work in the background, such as a relist of a watch, which many callers may share. */
  readonly inBackground: boolean;
  /**
   * The operation that started the background work which this one is a part of, such as the wait that started a watch. Set only if
   * there is no {@link parent}.
   */
  readonly startedBy: Operation | undefined;
  /**
   * How the operation ended; not set before its end. `OK`, the code of a `CriError`, `CANCELLED` if it was ended early, or the name
   * of another error's class. Failed probes of a running pod have `PROBE_FAILED`, and those that could not run `PROBE_ERROR`.
   */
  outcome: string | undefined;
  /**
   * Whether the operation ended with an error; not set before its end. Ending early is an error if the caller aborted the
   * operation. It is none for a session that the program closed, a stream that it stopped reading, and background work that
   * is no longer needed. The client's question whether the runtime can stream a list has not failed if the answer is no.
   */
  hasFailed: boolean | undefined;
  /** How long the operation took, in milliseconds; not set before its end. */
  durationMs: number | undefined;
  readonly #startedAt = performance.now();
  #run: RunWithin = (work) => current.run(this, work);

  /**
   * @internal
   * @param inBackground whether it continues independently of the operation that started it
   */
  constructor(name: string, endpoint: string, subject: OperationSubject, inBackground = false) {
    const outer = current.getStore();
    this.name = name;
    this.endpoint = endpoint;
    this.subject = subject;
    this.inBackground = inBackground;
    this.parent = inBackground ? undefined : outer;
    this.startedBy = inBackground ? outer : undefined;
  }

  /**
   * Makes the client call the operation's work by a function, for example to enter the context of a tracer. Call this in a listener
   * of `start`. A streaming call calls the function for each reply.
   */
  runWithin(run: RunWithin): void {
    const inner = this.#run;
    this.#run = (work) => inner(() => run(work));
  }

  /** @internal Publishes the start. */
  begin(): void {
    publish(this, "start");
  }

  /** @internal Runs work as a part of this operation. */
  run<T>(work: () => T): T {
    return this.#run(work);
  }

  /** @internal Publishes that the synchronous part is over. */
  pause(): void {
    publish(this, "end");
  }

  /** @internal Publishes the start, and runs the work. */
  start<T>(work: () => T): T {
    this.begin();
    try {
      return this.run(work);
    } finally {
      this.pause();
    }
  }

  /** @internal Publishes the end, unless the operation has ended already. */
  finish(outcome: string, hasFailed = outcome !== "OK"): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.hasFailed = hasFailed;
    this.durationMs = performance.now() - this.#startedAt;
    if (hasFailed) publish(this, "error");
    publish(this, "asyncStart");
    publish(this, "asyncEnd");
  }
}
