import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { ChannelOptions } from "@grpc/grpc-js";
import { ClientError, Status } from "nice-grpc-common";
import { channelDefaults } from "./channel.js";

/*
 * The receive limit bounds what comes over the wire, and not what becomes of it: two bytes can be an object of more than two hundred.
 * 80 MiB of them would take 9 GiB and minutes, during which no deadline can strike. So tags and lengths are counted while a reply is
 * decoded. And what holds for one reply holds for a list that comes in several.
 */

/** How much one reply, or one list in several replies, may hold. */
export interface ReplyLimits {
  readonly bytes: number;
  /** Tags and lengths. Most fields have both. */
  readonly marks: number;
}

/** Lists of containers have nine bytes to a mark, statistics three: the default limits leave room for 50,000 containers. */
const bytesPerMark = 16;

/** What any reply may hold, however low the limit in bytes. */
const leastMarks = 65_536;

/** The limits that follow from the receive limit of a channel. */
export function replyLimits(options: ChannelOptions | undefined): ReplyLimits {
  const limit = options?.["grpc.max_receive_message_length"] ?? channelDefaults["grpc.max_receive_message_length"];
  const bytes = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  return { bytes, marks: Math.max(leastMarks, Math.floor(bytes / bytesPerMark)) };
}

/** What decoding fails with; grpc-js puts words of its own before it. */
const tooManyMarks = "Received message with more fields than memory is meant for";

/** Whether a failure is one of decoding within these limits. */
export function exceedsReplyLimits(details: string): boolean {
  return details.includes(tooManyMarks);
}

interface Decodable {
  decode(input: BinaryReader | Uint8Array, length?: number): unknown;
}

interface Service {
  readonly fullName: string;
  readonly methods: Readonly<Record<string, { readonly name: string; readonly responseType: Decodable }>>;
}

interface Size extends ReplyLimits {
  readonly path: string;
  readonly limits: ReplyLimits;
}

const sizes = new WeakMap<object, Size>();

/** A service whose replies are decoded within limits. */
export function boundedDecoding<S extends Service>(service: S, limits: ReplyLimits): S {
  const methods = Object.entries(service.methods).map(([key, method]) => {
    const { name, responseType } = method;
    const path = `/${service.fullName}/${name}`;
    const decode = (input: Uint8Array) => {
      const reader = new CountingReader(input, limits.marks);
      const reply = responseType.decode(reader) as object;
      sizes.set(reply, { bytes: input.length, marks: reader.marks, path, limits });
      return reply;
    };
    return [key, { ...method, responseType: { ...responseType, decode } }];
  });
  return { ...service, methods: Object.fromEntries(methods) as S["methods"] };
}

/** Adds up the replies that make one list. Throws RESOURCE_EXHAUSTED when it is more than one reply might hold. */
export class ReplyTotal {
  #bytes = 0;
  #marks = 0;

  add(reply: object): void {
    const size = sizes.get(reply);
    if (!size) return; // a middleware's own
    const { limits, path } = size;
    this.#bytes += size.bytes;
    this.#marks += size.marks;
    if (this.#bytes <= limits.bytes && this.#marks <= limits.marks) return;
    const details = `Received list larger than max (${limits.bytes} bytes or ${limits.marks} tags and lengths)`;
    throw new ClientError(path, Status.RESOURCE_EXHAUSTED, details);
  }
}

class CountingReader extends BinaryReader {
  marks = 0;

  constructor(bytes: Uint8Array, limit: number) {
    super(bytes);
    const read = this.uint32;
    this.uint32 = () => {
      if (++this.marks > limit) throw new RangeError(`${tooManyMarks} (${limit} tags and lengths)`);
      return read.call(this);
    };
  }
}
