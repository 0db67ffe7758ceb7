import type { CallOptions } from "../options.js";
import { checkCallOptions } from "../transport/call-options.js";
import type { Connection } from "../transport/connection.js";
import { toMetadata } from "../transport/metadata.js";
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
  const trace: CallTrace = { attempts: 0, failures: [] };
  if (options) checkCallOptions(options);
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

/** The options of a facade call as the raw stubs take them. */
export function toRawOptions(options: CallOptions = {}, trace?: CallTrace): RawCallOptions {
  const { signal, timeoutMs, deadline, retry, metadata } = options;
  const raw: RawCallOptions & { [callTrace]?: CallTrace } = { timeoutMs, deadline, retry };
  if (signal) raw.signal = signal;
  if (metadata) raw.metadata = toMetadata(metadata);
  if (trace) raw[callTrace] = trace;
  return raw;
}
