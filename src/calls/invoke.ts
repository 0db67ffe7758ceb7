import { Metadata } from "nice-grpc-common";
import { InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import { policyOf } from "../transport/call-policy.js";
import type { Connection } from "../transport/connection.js";
import { type CallTrace, callTrace, type RawCallOptions } from "../transport/wire-options.js";
import { toCriError } from "./failure.js";

/** What a call function may tell about itself, for the error. */
export interface CallSubject {
  /** The call goes to the image service's endpoint. */
  service?: "image";
  /** The image of a pull. */
  image?: string;
}

/**
 * Sends one logical call through a raw stub: translates the options, and turns what nice-grpc throws into a `CriError`. A call
 * that was cancelled rejects with the signal's own reason.
 */
export async function invoke<T>(
  connection: Connection,
  options: CallOptions | undefined,
  send: (options: RawCallOptions) => Promise<T>,
  subject: CallSubject = {},
): Promise<T> {
  const trace: CallTrace = { attempts: 0 };
  options?.signal?.throwIfAborted();
  try {
    return await send(toRawOptions(connection, options, trace));
  } catch (error) {
    options?.signal?.throwIfAborted();
    throw toCriError(error, {
      endpoint: subject.service === "image" ? connection.imageEndpoint : connection.endpoint,
      attempts: trace.attempts,
      readOnly: isReadOnly(error),
      image: subject.image,
    });
  }
}

/** The options of a facade call as the raw stubs take them. */
export function toRawOptions(connection: Connection, options: CallOptions = {}, trace?: CallTrace): RawCallOptions {
  const raw: RawCallOptions & { [callTrace]?: CallTrace } = {};
  if (options.signal) raw.signal = options.signal;
  if (options.timeoutMs !== undefined) raw.timeoutMs = options.timeoutMs;
  if (options.deadline) raw.deadline = options.deadline;
  if (options.retry !== undefined) raw.retry = options.retry;
  const metadata = { ...connection.options.defaults?.metadata, ...options.metadata };
  if (Object.keys(metadata).length > 0) raw.metadata = toMetadata(metadata);
  if (trace) raw[callTrace] = trace;
  return raw;
}

function toMetadata(record: NonNullable<CallOptions["metadata"]>): Metadata {
  const metadata = Metadata();
  for (const [key, value] of Object.entries(record)) {
    try {
      metadata.set(key, typeof value === "string" || value instanceof Uint8Array ? value : [...value]);
    } catch (cause) {
      // The value stays out of the message: metadata carries tokens.
      throw new InvalidInputError({
        field: `metadata[${JSON.stringify(key)}]`,
        message: "is not a valid gRPC metadata entry",
        cause,
      });
    }
  }
  return metadata;
}

function isReadOnly(error: unknown): boolean {
  const path = (error as { path?: unknown } | undefined)?.path;
  return typeof path === "string" && path.startsWith("/runtime.v1.") && policyOf(path).effect === "reads";
}
