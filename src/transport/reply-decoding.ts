import { Reply, type ReplyType } from "./reply.js";
import type { ReplyLimits } from "./reply-limits.js";

interface Service {
  readonly methods: Readonly<Record<string, { readonly responseType: ReplyType<unknown> }>>;
}

/**
 * Returns a service that decodes its replies with our own decoders, within the limits. It hands over each message in a
 * {@link Reply}. The wire layer takes it out with {@link boxOf}, so only these two functions differ from the declared types.
 */
export function replyDecoding<S extends Service>(service: S, limits: ReplyLimits): S {
  const methods = Object.entries(service.methods).map(([key, method]) => {
    const { responseType } = method;
    const decode = (bytes: Uint8Array) => new Reply(responseType, bytes, limits);
    return [key, { ...method, responseType: { ...responseType, decode } }];
  });
  return { ...service, methods: Object.fromEntries(methods) as S["methods"] };
}

/** The box in which a call on a service of {@link replyDecoding} hands over a message. */
export function boxOf<T>(reply: T): Reply<T> {
  return reply as unknown as Reply<T>;
}
