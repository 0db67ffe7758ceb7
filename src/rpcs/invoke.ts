import { checkOnlyCallOptions } from "../input/call-options.js";
import type { CallOptions } from "../options.js";
import type { Connection } from "../transport/connection.js";
import { toMetadata } from "../transport/metadata.js";
import { type CallTrace, callTrace, type RawCallOptions } from "../transport/wire-options.js";
import { codeOf, toCriError } from "./failure.js";

/** Details of a call for its error. */
export interface CallSubject {
  /** Set for calls to the image service, which may have an endpoint of its own. */
  service?: "image";
  /** The image to pull. */
  image?: string;
}

/**
 * Sends one logical call through a raw stub: converts the options, and converts nice-grpc's errors to a `CriError`. A cancelled
 * call rejects with the signal's reason.
 */
export async function invoke<T>(
  connection: Connection,
  options: CallOptions | undefined,
  send: (options: RawCallOptions) => Promise<T>,
  subject: CallSubject = {},
): Promise<T> {
  const call = startCall(connection, options, subject);
  try {
    return await send(call.options);
  } catch (error) {
    throw call.errorOf(error);
  }
}

/** Does the same as {@link invoke} for a call with several results. */
export async function* invokeStream<T>(
  connection: Connection,
  options: CallOptions | undefined,
  send: (options: RawCallOptions) => AsyncIterable<T>,
  subject: CallSubject = {},
): AsyncGenerator<T, void, undefined> {
  const call = startCall(connection, options, subject);
  try {
    for await (const result of send(call.options)) yield result;
  } catch (error) {
    throw call.errorOf(error);
  }
}

/** Checks the options of a call. Returns those of the raw stub, and the conversion of its errors. */
function startCall(connection: Connection, options: CallOptions | undefined, { service, image }: CallSubject) {
  const trace: CallTrace = { attempts: 0, failures: [], codeOf };
  checkOnlyCallOptions(options);
  const signal = options?.signal ?? connection.signal;
  signal?.throwIfAborted();
  return {
    options: toRawOptions(signal === options?.signal ? options : { ...options, signal }, trace),
    errorOf(error: unknown): unknown {
      if (signal?.aborted) return signal.reason;
      const endpoint = service === "image" ? connection.imageEndpoint : connection.endpoint;
      return toCriError(error, { endpoint, trace, image });
    },
  };
}

/** Converts the options of a facade call to those of the raw stubs. */
export function toRawOptions(options: CallOptions = {}, trace?: CallTrace): RawCallOptions {
  const { signal, timeoutMs, deadline, retry, metadata } = options;
  const raw: RawCallOptions & { [callTrace]?: CallTrace } = { timeoutMs, deadline, retry };
  if (signal) raw.signal = signal;
  if (metadata) raw.metadata = toMetadata(metadata);
  if (trace) raw[callTrace] = trace;
  return raw;
}
