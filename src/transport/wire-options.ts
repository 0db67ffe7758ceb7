import type { ClientError, ClientMiddleware, CallOptions as GrpcCallOptions } from "nice-grpc-common";
import type { FieldsOf } from "../internal/record.js";
import type { RetryPolicy } from "../options.js";
import type { ReplyMemory } from "./reply-memory.js";

/** The options of the raw stubs beyond nice-grpc's own call options. */
export interface RawCallExtension {
  /** The time limit of the whole call in milliseconds, retries included; `0` removes the default limit. */
  timeoutMs?: number | undefined;
  /** The same limit as a point in time. If both are set, the earlier one applies. */
  deadline?: Date | undefined;
  /** How to retry the call; `false` means one attempt. */
  retry?: RetryPolicy | false | undefined;
}

/** Options of a call on a raw stub. */
export type RawCallOptions = GrpcCallOptions & RawCallExtension;

export const rawCallFields: FieldsOf<RawCallOptions> = {
  timeoutMs: true,
  signal: true,
  deadline: true,
  retry: true,
  metadata: true,
  onHeader: true,
  onTrailer: true,
};

/** The attempts of one logical call, for its error. */
export interface CallTrace {
  /** The gRPC path, set with the first attempt. */
  path?: string;
  attempts: number;
  /** The error of each failed attempt. */
  readonly failures: ClientError[];
  /** Returns the code of the `CriError` that the caller gets for an error, if it gets one. */
  readonly codeOf?: (error: unknown, trace: CallTrace) => string | undefined;
  /** Set while the call is published to listeners: publishes that it has ended because its signal aborted. */
  endPublished?: ((reason: unknown) => void) | undefined;
}

/**
 * Keys of the options with which the layers of one call pass data to each other. Symbols cannot collide with options of a user's
 * middleware.
 */
export const callTrace = Symbol("attempts");
export const callExpiry = Symbol("expiry");
export const oneList = Symbol("list");
export const replyListener = Symbol("reply");
export const slicesListener = Symbol("slices");
export const replyMemory = Symbol("memory");

/** The options that this package's own layers pass to one another. */
export interface InternalExtension extends RawCallExtension {
  [callTrace]?: CallTrace;
  /** When the time limit ends, on the clock of `performance.now()`. */
  [callExpiry]?: number;
  /** Whether the replies of the stream form one list, to which the limits of one reply apply. */
  [oneList]?: boolean;
  /** Receives the size of each reply. */
  [replyListener]?: (bytes: number) => void;
  /**
   * Decodes large replies slice by slice. A unary call returns its message before that, and this receives the function that decodes
   * into it. A streaming call yields its message after each slice.
   */
  [slicesListener]?: (slices: ReplySlices) => void;
  /** Has the entries of the list that have not changed since earlier replies. */
  [replyMemory]?: ReplyMemory;
}

/** Decodes a reply slice by slice; see `Reply.slices`. */
export type ReplySlices = (signal: AbortSignal | undefined) => AsyncGenerator<unknown, void, undefined>;

/**
 * One of this package's own layers around a call. It has the type of a middleware, but calls the layer that it was created with:
 * nice-grpc's composition would copy the call for each layer, which takes longer than the layer itself. The first layer copies
 * the options, and the following ones may change that copy.
 */
export type Layer = ClientMiddleware<InternalExtension>;
