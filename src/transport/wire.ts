import { setImmediate as nextTurn } from "node:timers/promises";
import { ClientError, Status } from "nice-grpc-common";
import { harmlessText, maxTextLength } from "../internal/redact.js";
import { exceedsReplyLimits, readReply } from "./reply-decoding.js";
import type { Layer } from "./wire-options.js";

/**
 * Next to the wire, and so for all that comes behind: decodes large replies, and makes proper errors of what grpc-js reports of a peer
 * that breaks the rules: a status that gRPC does not have, a reply that cannot be unpacked, a refusal that no runtime ever spoke.
 */
export const wire: Layer = async function* wire(call, options) {
  try {
    if (!call.responseStream) return await readReply(yield* call.next(call.request, options), options.signal);
    let replies = 0;
    for await (const reply of call.next(call.request, options)) {
      yield await readReply(reply, options.signal);
      if (++replies % repliesPerTurn === 0) await nextTurn();
    }
    return;
  } catch (error) {
    throw proper(error, call.method.path);
  }
};

/**
 * How many replies of a stream are read before the event loop gets to do other work: replies that have arrived are read one after
 * the other without any turn in between, and no deadline would strike.
 */
const repliesPerTurn = 32;

/**
 * Verdicts of grpc-js' own, by the words it has for them. Their codes would say that the runtime refused to begin, and the runtime
 * said no such thing.
 */
const verdicts: ReadonlyMap<string, string> = new Map([
  ["No message received", "the reply says OK and holds no message"],
  ["Too many responses received", "the reply holds more than one message"],
  ["Protocol not secure enough", "the runtime broke the call off as not secure enough (RST_STREAM with code 12)"],
]);

function proper(error: unknown, path: string): unknown {
  if (!(error instanceof ClientError)) {
    // The error of a call, but without a status: grpc-js could not unpack the message. Its own reason is lost on the way.
    const statusLost =
      error instanceof Error && "metadata" in error && (error as { code?: unknown }).code === undefined;
    return statusLost
      ? new ClientError(path, Status.INTERNAL, "the reply is compressed, and not as its headers say")
      : error;
  }
  const { code, details } = error;
  if (Status[code] === undefined) {
    const words = details ? `: ${harmlessText(details)}` : "";
    return new ClientError(path, Status.UNKNOWN, `the status of the reply is none of gRPC's (${code})${words}`);
  }
  const verdict = verdicts.get(details);
  if (verdict) return new ClientError(path, Status.INTERNAL, verdict);
  if (exceedsReplyLimits(details)) return new ClientError(path, Status.RESOURCE_EXHAUSTED, details);
  // What comes behind searches the text for words, several times.
  return details.length > maxTextLength ? new ClientError(path, code, harmlessText(details)) : error;
}
