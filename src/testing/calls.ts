import { inspect } from "node:util";
import type { GrpcErrorCode } from "../errors.js";
import { redactForLog } from "../internal/redact.js";
import type { InjectedFault } from "./faults/fault.js";
import type { RpcName, RpcRequest } from "./rpcs.js";
import type { MetadataValue } from "./wire/framing.js";
import type { IncomingCall } from "./wire/incoming-call.js";

/** One call as the server received it. */
export interface RecordedCall<N extends RpcName = RpcName> {
  readonly rpc: N;
  /** The decoded request, including credentials. `console.log` and `JSON.stringify` redact them. */
  readonly request: RpcRequest<N>;
  /** Request metadata; binary values as bytes, repeated keys as arrays. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** When the call times out on the server's clock, computed from `grpc-timeout`. */
  readonly deadline: Date | undefined;
  /** The raw `grpc-timeout` header, such as `1999m`. */
  readonly grpcTimeout: string | undefined;
  /** The connection of the call, counted from 1. */
  readonly connection: number;
  readonly startedAt: Date;
  /** When the server ended the call. */
  readonly endedAt: Date | undefined;
  /** The status code, `"DROPPED"` if the connection was broken instead, `undefined` while the call is in progress. */
  readonly outcome: "OK" | GrpcErrorCode | "DROPPED" | undefined;
  /** The error message of a failure; empty otherwise. */
  readonly message: string;
  /** Whether the client cancelled the call or disconnected before the reply. */
  readonly cancelled: boolean;
  /** The number of messages that were sent in reply. */
  readonly messagesSent: number;
  /** The faults that were injected into the call, in order. */
  readonly faults: readonly InjectedFault[];
}

/** A {@link RecordedCall} that the server still updates. */
export class CallRecord implements RecordedCall {
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  readonly deadline: Date | undefined;
  readonly grpcTimeout: string | undefined;
  readonly connection: number;
  readonly startedAt = new Date();
  endedAt: Date | undefined = undefined;
  outcome: RecordedCall["outcome"] = undefined;
  message = "";
  cancelled = false;
  messagesSent = 0;
  faults: readonly InjectedFault[] = [];

  constructor(
    readonly rpc: RpcName,
    readonly request: RpcRequest,
    call: IncomingCall,
  ) {
    this.metadata = call.metadata;
    this.deadline = call.deadline;
    this.grpcTimeout = call.grpcTimeout;
    this.connection = call.connection.ordinal;
    hideCredentials(request);
    hideCredentials(this.metadata);
  }

  end(outcome: NonNullable<RecordedCall["outcome"]>, message = ""): void {
    if (this.outcome) return;
    this.outcome = outcome;
    this.message = message;
    this.endedAt = new Date();
  }
}

/** Adds methods with which `util.inspect` and JSON redact the value. They are not enumerable, so that comparisons ignore them. */
function hideCredentials(value: object): void {
  for (const method of [inspect.custom, "toJSON"]) {
    Object.defineProperty(value, method, { value: () => redactForLog(value), enumerable: false });
  }
  const { auth } = value as { auth?: unknown };
  if (typeof auth === "object" && auth !== null) hideCredentials(auth);
}

interface Waiter {
  readonly wanted: (call: RecordedCall) => boolean;
  readonly resolve: (call: RecordedCall) => void;
}

/** Records every call of a runtime, in the order of arrival. */
export class CallLog {
  readonly #records: CallRecord[] = [];
  readonly #waiters = new Set<Waiter>();

  get all(): readonly RecordedCall[] {
    return this.#records;
  }

  add(record: CallRecord): void {
    this.#records.push(record);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.wanted(record)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(record);
    }
  }

  /** Resolves with the next call that matches. */
  next(wanted: (call: RecordedCall) => boolean): Promise<RecordedCall> {
    return new Promise((resolve) => this.#waiters.add({ wanted, resolve }));
  }

  clear(): void {
    this.#records.length = 0;
  }
}
