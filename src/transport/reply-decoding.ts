import { setImmediate as nextTurn } from "node:timers/promises";
import type { ChannelOptions } from "@grpc/grpc-js";
import { ClientError, Status } from "nice-grpc-common";
import { type ReplyDecoder, replyDecoders } from "../decoders.js";
import { channelDefaults } from "./channel.js";
import { ReplyReader, tooManyFields } from "./reply-reader.js";

/*
 * The receive limit bounds what comes over the wire, and not what becomes of it: two bytes can be an object of more than two hundred.
 * 80 MiB of them would take 9 GiB and minutes, during which no deadline can strike. So fields are counted while a reply is decoded.
 * And what holds for one reply holds for a list that comes in several.
 */

/** How much one reply, or one list in several replies, may hold. */
export interface ReplyLimits {
  readonly bytes: number;
  readonly fields: number;
}

/** Lists of containers have 21 bytes to a field, statistics six: the default limits leave room for 50,000 containers. */
const bytesPerField = 32;

/** What any reply may hold, however low the limit in bytes. */
const leastFields = 32_768;

/** A reply that is larger is decoded in slices. A reply of this size takes well below a millisecond. */
const unslicedBytes = 128 * 1024;

/** How much is decoded between two looks at the clock. */
const sliceBytes = 32 * 1024;

/** How long decoding keeps the event loop at a time. */
const sliceMs = 2;

/** The limits that follow from the receive limit of a channel. */
export function replyLimits(options: ChannelOptions | undefined): ReplyLimits {
  const limit = options?.["grpc.max_receive_message_length"] ?? channelDefaults["grpc.max_receive_message_length"];
  const bytes = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  return { bytes, fields: Math.max(leastFields, Math.floor(bytes / bytesPerField)) };
}

/** Whether a failure is one of decoding within these limits. grpc-js puts words of its own before it. */
export function exceedsReplyLimits(details: string): boolean {
  return details.includes(tooManyFields);
}

interface Decodable {
  decode(input: Uint8Array): unknown;
}

interface Service {
  readonly fullName: string;
  readonly methods: Readonly<
    Record<string, { readonly name: string; readonly responseType: Decodable; readonly responseStream: boolean }>
  >;
}

interface Size extends ReplyLimits {
  readonly path: string;
  readonly limits: ReplyLimits;
}

const sizes = new WeakMap<object, Size>();

/** A reply on its way from bytes to a message. */
class Reading {
  readonly #reader: ReplyReader;
  readonly #decoder: ReplyDecoder<object>;
  readonly #message: object;
  #ended = false;

  constructor(type: Decodable, bytes: Uint8Array, limits: ReplyLimits) {
    const decoder = replyDecoders.get(type);
    if (!decoder) throw new TypeError("there is no decoder for this reply: npm run generate");
    this.#decoder = decoder;
    this.#message = decoder.create();
    this.#reader = new ReplyReader(bytes, limits.fields);
  }

  /** Whole fields of the message, until so many bytes are read. Whether that was all. */
  advance(bytes: number): boolean {
    const { pos, len } = this.#reader;
    this.#ended ||= !this.#decoder.read(this.#reader, Math.min(len, pos + bytes), this.#message);
    return this.#ended || this.#reader.pos >= len;
  }

  get fields(): number {
    return this.#reader.fields;
  }

  get message(): object {
    return this.#message;
  }
}

/** The message that bytes hold. Throws what makes grpc-js end the call if they hold none, or more than the limits allow. */
export function decodeReply<T>(type: { decode(input: Uint8Array): T }, bytes: Uint8Array, limits: ReplyLimits): T {
  return readWhole(type, bytes, limits).message as T;
}

function readWhole(type: Decodable, bytes: Uint8Array, limits: ReplyLimits): Reading {
  const reading = new Reading(type, bytes, limits);
  reading.advance(bytes.length);
  return reading;
}

/** A large reply, as it came. */
class UnreadReply {
  constructor(
    private readonly type: Decodable,
    private readonly bytes: Uint8Array,
    private readonly limits: ReplyLimits,
    private readonly path: string,
  ) {}

  /** Decodes it, and lets others have the event loop in between. */
  async read(signal: AbortSignal | undefined): Promise<object> {
    try {
      const reading = new Reading(this.type, this.bytes, this.limits);
      // grpc-js has just put the reply together, which has taken its time already.
      let pauseAt = 0;
      do {
        if (performance.now() >= pauseAt) {
          await nextTurn();
          signal?.throwIfAborted();
          pauseAt = performance.now() + sliceMs;
        }
      } while (!reading.advance(sliceBytes));
      const { message, fields } = reading;
      sizes.set(message, { bytes: this.bytes.length, fields, path: this.path, limits: this.limits });
      return message;
    } catch (error) {
      signal?.throwIfAborted();
      // As grpc-js says it of what is decoded at once.
      const details = `Response message parsing error: ${(error as Error).message}`;
      throw new ClientError(this.path, Status.INTERNAL, details);
    }
  }
}

/** A service whose replies are decoded by our own decoders, and within limits. {@link readReply} belongs to it. */
export function replyDecoding<S extends Service>(service: S, limits: ReplyLimits): S {
  const methods = Object.entries(service.methods).map(([key, method]) => {
    const { name, responseType, responseStream } = method;
    const path = `/${service.fullName}/${name}`;
    const decode = (bytes: Uint8Array) => {
      if (bytes.length > unslicedBytes) return new UnreadReply(responseType, bytes, limits, path);
      const reading = readWhole(responseType, bytes, limits);
      // Only the replies of a stream are added up.
      if (responseStream) sizes.set(reading.message, { bytes: bytes.length, fields: reading.fields, path, limits });
      return reading.message;
    };
    return [key, { ...method, responseType: { ...responseType, decode } }];
  });
  return { ...service, methods: Object.fromEntries(methods) as S["methods"] };
}

/** The message of what a call gave: a large reply is still to be decoded. */
export function readReply<T>(reply: T, signal: AbortSignal | undefined): T | Promise<T> {
  return reply instanceof UnreadReply ? (reply.read(signal) as Promise<T>) : reply;
}

/** Adds up the replies that make one list. Throws RESOURCE_EXHAUSTED when it is more than one reply might hold. */
export class ReplyTotal {
  #bytes = 0;
  #fields = 0;

  add(reply: object): void {
    const size = sizes.get(reply);
    if (!size) return; // a middleware's own
    const { limits, path } = size;
    this.#bytes += size.bytes;
    // The reply itself counts too: a list of empty ones would have no end.
    this.#fields += size.fields + 1;
    if (this.#bytes <= limits.bytes && this.#fields <= limits.fields) return;
    const details = `Received list larger than max (${limits.bytes} bytes or ${limits.fields} fields)`;
    throw new ClientError(path, Status.RESOURCE_EXHAUSTED, details);
  }
}
