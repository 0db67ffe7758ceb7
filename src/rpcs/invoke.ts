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
  const trace: CallTrace = { attempts: 0, failures: [], codeOf };
  checkOnlyCallOptions(options);
  const signal = options?.signal ?? connection.signal;
  signal?.throwIfAborted();
  try {
    return await send(toRawOptions(signal === options?.signal ? options : { ...options, signal }, trace));
  } catch (error) {
    signal?.throwIfAborted();
    const endpoint = subject.service === "image" ? connection.imageEndpoint : connection.endpoint;
    throw toCriError(error, { endpoint, trace, image: subject.image });
  }
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
