import type { CallOptions as GrpcCallOptions } from "nice-grpc-common";
import type { RetryPolicy } from "../options.js";

/** What the raw stubs understand beyond nice-grpc's own call options. */
export interface RawCallExtension {
  /** Budget of the whole call in milliseconds, retries included; `0` removes the default one. */
  timeoutMs?: number;
  /** The same as a point in time; of both, the earlier one counts. */
  deadline?: Date;
  /** How to retry; `false` means one attempt. */
  retry?: RetryPolicy | false;
}

/** Options of a call on a raw stub. */
export type RawCallOptions = GrpcCallOptions & RawCallExtension;

/** Counts what went out for one logical call, so that its error can say so. */
export interface CallTrace {
  attempts: number;
}

/** Where the middlewares of one call keep what they tell one another. Symbols do not collide with a user's middleware. */
export const callTrace = Symbol("attempts");
export const callExpiry = Symbol("expiry");

/** The options as they travel between this package's own middlewares. */
export interface InternalExtension extends RawCallExtension {
  [callTrace]?: CallTrace;
  /** On the clock of `performance.now()`. */
  [callExpiry]?: number;
}
