import { Operation } from "./operation.js";
import type { OperationSubject } from "./subject.js";

/** One RPC as the caller sees it, with its retries. Published on `k8s-cri-client:call`. */
export class CallOperation extends Operation {
  readonly kind = "call";
  /** The number of attempts; set at the end. */
  attempts = 0;
  /**
   * The name of the gRPC status, such as `NOT_FOUND`; set at the end. Unlike `outcome`, it is never a code of this package. If the
   * client ended the call, it is the status that gRPC defines for that, such as `CANCELLED`. A call that was never sent has none.
   */
  status: string | undefined;
  /** The exit code of the command of an ExecSync call; set at the end. */
  exitCode: number | undefined;
}

/** One attempt of a call. Published on `k8s-cri-client:attempt`. */
export class AttemptOperation extends Operation {
  readonly kind = "attempt";
  /** The number of the attempt within its call, from 1. */
  readonly attempt: number;
  /** The name of the gRPC status, as for a call. */
  status: string | undefined;
  /** The size of the replies that have arrived, in bytes, before compression. */
  receivedBytes = 0;
  readonly #metadata: { set(name: string, value: string): unknown };

  /** @internal */
  constructor(
    name: string,
    endpoint: string,
    subject: OperationSubject,
    attempt: number,
    metadata: { set(name: string, value: string): unknown },
  ) {
    super(name, endpoint, subject);
    this.attempt = attempt;
    this.#metadata = metadata;
  }

  /**
   * Sets a metadata entry (HTTP/2 header) of this attempt, such as `traceparent`. Has an effect only in a listener of `start`.
   *
   * @throws an error if the name or the value is not valid gRPC metadata
   */
  setMetadata(name: string, value: string): void {
    this.#metadata.set(name, value);
  }
}

/** A streaming session: exec, attach or port-forward. Published on `k8s-cri-client:session`. */
export class SessionOperation extends Operation {
  readonly kind = "session";
  /** The wire protocol; set when the session is open. */
  transport: "spdy" | "websocket" | undefined;
  /** The exit code of an exec session; set at the end if the runtime reported one. */
  exitCode: number | undefined;
  /** The bytes that this program sent to the command or the port; set at the end. */
  sentBytes = 0;
  /** The bytes that the command or the port sent; set at the end. */
  receivedBytes = 0;
}

/** A method of this package that consists of several calls. Published on `k8s-cri-client:workflow`. */
export class WorkflowOperation extends Operation {
  readonly kind = "workflow";
  /** The reasons of the events that a running pod emitted meanwhile, such as `Pulling` and `BackOff`, in their order. */
  readonly events: string[] = [];
}

/** The message of a diagnostics channel of this package; `kind` says which one. */
export type AnyOperation = CallOperation | AttemptOperation | SessionOperation | WorkflowOperation;
