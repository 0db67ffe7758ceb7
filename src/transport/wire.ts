import { setImmediate as nextTurn } from "node:timers/promises";
import { type CallOptions, ClientError, type ClientMiddlewareCall, Status } from "nice-grpc-common";
import { maxSanitizedLength, sanitize } from "../internal/redact.js";
import { replyOf } from "./reply-decoding.js";
import { ListSize } from "./reply-limits.js";
import { tooManyFields } from "./reply-reader.js";
import { cannotDecompress, type SendUnary } from "./unary-call.js";
import {
  type InternalExtension,
  type Layer,
  oneList,
  replyListener,
  replyMemory,
  slicesListener,
} from "./wire-options.js";

/**
 * The innermost layer: returns the message of each {@link Reply}, and keeps whole lists within the limits. If a peer breaks the
 * protocol, replaces the misleading error of grpc-js by one that names the violation: a status that gRPC does not define, a reply
 * that cannot be decompressed, a code that the runtime never sent.
 */
export function wireLayer(send: SendUnary): Layer {
  return async function* wire<Request, Response>(
    call: ClientMiddlewareCall<Request, Response>,
    options: CallOptions & InternalExtension,
  ) {
    const { path } = call.method;
    const takeSlices = options[slicesListener];
    const memory = options[replyMemory];
    try {
      if (!call.requestStream && !call.responseStream) {
        const reply = replyOf(await send<Response>(call.method, call.request, options));
        options[replyListener]?.(reply.bytes);
        if (!takeSlices) return await reply.read(path, options.signal, memory);
        takeSlices((signal) => reply.slices(path, signal));
        return reply.message;
      }
      const list = options[oneList] ? new ListSize(path) : undefined;
      let replies = 0;
      for await (const received of call.next(call.request, options)) {
        const reply = replyOf(received);
        options[replyListener]?.(reply.bytes);
        if (takeSlices) yield* reply.slices(path, options.signal);
        else yield await reply.read(path, options.signal, memory);
        list?.add(reply);
        if (++replies % repliesPerTurn === 0) await nextTurn();
      }
      return;
    } catch (error) {
      throw describe(error, path);
    }
  };
}

/**
 * The number of replies of a stream that are read before the event loop does other work. Without these pauses, replies that have
 * already arrived are read in one turn of the event loop, and no deadline can fire.
 */
const repliesPerTurn = 32;

function describe(error: unknown, path: string): unknown {
  if (!(error instanceof ClientError)) {
    // grpc-js reports a reply that it cannot decompress as an error without a status, and drops the reason.
    const lacksStatus =
      error instanceof Error && "metadata" in error && (error as { code?: unknown }).code === undefined;
    return lacksStatus ? new ClientError(path, Status.INTERNAL, cannotDecompress) : error;
  }
  const { code, details } = error;
  if (Status[code] === undefined) {
    const reason = details ? `: ${sanitize(details)}` : "";
    return new ClientError(
      path,
      Status.UNKNOWN,
      `the runtime replied with status ${code}, which gRPC does not define${reason}`,
    );
  }
  if (details === "Protocol not secure enough") {
    // grpc-js reports this code of HTTP/2 as if the runtime had refused the call.
    return new ClientError(
      path,
      Status.INTERNAL,
      "the runtime reset the call with RST_STREAM code 12 (INADEQUATE_SECURITY)",
    );
  }
  if (details.includes(tooManyFields)) return new ClientError(path, Status.RESOURCE_EXHAUSTED, details);
  // Later layers search the error message with several patterns, so it is shortened first.
  return details.length > maxSanitizedLength ? new ClientError(path, code, sanitize(details)) : error;
}
