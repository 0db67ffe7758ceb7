import type { ChunkedMessage } from "./chunked-message.js";
import { Reply, type ReplyType } from "./reply.js";
import type { ReplyLimits } from "./reply-limits.js";

interface Service {
  readonly methods: Readonly<Record<string, { readonly responseType: ReplyType<unknown> }>>;
}

/**
 * Returns a service that decodes its replies with our own decoders, within the limits. Its calls return a {@link Reply} in place
 * of the declared message. The wire layer gets the message from the `Reply` with {@link replyOf}; no other code sees the
 * difference.
 */
export function replyDecoding<S extends Service>(service: S, limits: ReplyLimits): S {
  const methods = Object.entries(service.methods).map(([key, method]) => {
    const { responseType } = method;
    const decode = (bytes: Uint8Array | ChunkedMessage) => new Reply(responseType, bytes, limits);
    return [key, { ...method, responseType: { ...responseType, decode } }];
  });
  return { ...service, methods: Object.fromEntries(methods) as S["methods"] };
}

/** Returns the {@link Reply} that a call on a service of {@link replyDecoding} returned as its message. */
export function replyOf<T>(reply: T): Reply<T> {
  return reply as unknown as Reply<T>;
}
