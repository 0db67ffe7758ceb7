import { inspect } from "node:util";
import type { GrpcErrorCode } from "../errors.js";
import { redactForLog } from "../internal/redact.js";
import type { StruckFault } from "./faults/fault.js";
import type { RpcName, RpcRequest } from "./rpcs.js";
import type { MetadataValue } from "./wire/framing.js";
import type { IncomingCall } from "./wire/incoming-call.js";

/** One call as the server saw it. */
export interface RecordedCall<N extends RpcName = RpcName> {
  readonly rpc: N;
  /** The decoded request, credentials included; neither `console.log` nor `JSON.stringify` shows those. */
  readonly request: RpcRequest<N>;
  /** Request metadata; binary values as bytes, repeated keys as arrays. */
  readonly metadata: Readonly<Record<string, MetadataValue>>;
  /** When the server gives up by its own clock, reckoned from `grpc-timeout`. */
  readonly deadline: Date | undefined;
  /** The raw `grpc-timeout` header, such as `1999m`. */
  readonly grpcTimeout: string | undefined;
  /** Which connection it came over, counted from 1. */
  readonly connection: number;
  readonly startedAt: Date;
  /** When the server was done with it. */
  readonly endedAt: Date | undefined;
  /** What was answered: a code, `"DROPPED"` if the connection was broken off instead, `undefined` while it is in progress. */
  readonly outcome: "OK" | GrpcErrorCode | "DROPPED" | undefined;
  /** The sentence that went with a failure. */
  readonly message: string;
  /** Whether the client went away before it was answered. */
  readonly cancelled: boolean;
  /** How many messages were sent in reply. */
  readonly messagesSent: number;
  /** The faults that struck it, in that order. */
  readonly faults: readonly StruckFault[];
}

/** A {@link RecordedCall} that is still being written. */
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
  faults: readonly StruckFault[] = [];

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

/** Shown redacted by `util.inspect` and as JSON; the values stay as they are. Not enumerable, so that comparisons do not see it. */
function hideCredentials(value: object): void {
  for (const shown of [inspect.custom, "toJSON"]) {
    Object.defineProperty(value, shown, { value: () => redactForLog(value), enumerable: false });
  }
  const { auth } = value as { auth?: unknown };
  if (typeof auth === "object" && auth !== null) hideCredentials(auth);
}

interface Waiter {
  readonly wanted: (call: RecordedCall) => boolean;
  readonly resolve: (call: RecordedCall) => void;
}

/** Every call of a runtime, in the order of arrival. */
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

  /** The next call that is wanted, counted from now. */
  next(wanted: (call: RecordedCall) => boolean): Promise<RecordedCall> {
    return new Promise((resolve) => this.#waiters.add({ wanted, resolve }));
  }

  clear(): void {
    this.#records.length = 0;
  }
}
