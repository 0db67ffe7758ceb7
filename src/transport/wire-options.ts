import type { ClientError, ClientMiddleware, CallOptions as GrpcCallOptions } from "nice-grpc-common";
import type { RetryPolicy } from "../options.js";

/** What the raw stubs understand beyond nice-grpc's own call options. */
export interface RawCallExtension {
  /** Budget of the whole call in milliseconds, retries included; `0` removes the default one. */
  timeoutMs?: number | undefined;
  /** The same as a point in time; of both, the earlier one counts. */
  deadline?: Date | undefined;
  /** How to retry; `false` means one attempt. */
  retry?: RetryPolicy | false | undefined;
}

/** Options of a call on a raw stub. */
export type RawCallOptions = GrpcCallOptions & RawCallExtension;

/** What became of the attempts of one logical call, so that its error can say so. */
export interface CallTrace {
  /** The gRPC path, once the call got as far as that. */
  path?: string;
  attempts: number;
  /** Why each attempt failed. */
  readonly failures: ClientError[];
}

/** Where the middlewares of one call keep what they tell one another. Symbols do not collide with a user's middleware. */
export const callTrace = Symbol("attempts");
export const callExpiry = Symbol("expiry");
export const oneList = Symbol("list");

/** The options as they travel between this package's own middlewares. */
export interface InternalExtension extends RawCallExtension {
  [callTrace]?: CallTrace;
  /** On the clock of `performance.now()`. */
  [callExpiry]?: number;
  /** The replies of the stream form one list, which is held to the limits of one reply. */
  [oneList]?: boolean;
}

/**
 * One of this package's own layers around a call. It looks like a middleware, but passes on to the layer that it was made with:
 * nice-grpc's own composition copies the call for each, which takes longer than the layer itself. The first one copies the options, and
 * those behind it may change them.
 */
export type Layer = ClientMiddleware<InternalExtension>;
