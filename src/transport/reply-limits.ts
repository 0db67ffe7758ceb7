import type { ChannelOptions } from "@grpc/grpc-js";
import { ClientError, Status } from "nice-grpc-common";
import { channelDefaults } from "./channel.js";

/*
 * grpc-js limits the bytes of a reply, but not the memory that the decoded message takes: two bytes can become an object of more
 * than 200 bytes. Decoding 80 MiB of such objects would take 9 GiB and minutes, and no deadline would fire in the meantime.
 * Therefore, the decoders count fields. The same limits apply to a list that arrives in several replies.
 */

/** The limits of one reply, or of one list in several replies. */
export interface ReplyLimits {
  readonly bytes: number;
  readonly fields: number;
}

/** Lists of containers take 21 bytes per field, statistics 6. The default limits are large enough for 50,000 containers. */
const bytesPerField = 32;

/** The number of fields that any reply may have, however low the limit in bytes is. */
const minFieldLimit = 32_768;

/** Derives the limits from a channel's receive limit. */
export function replyLimits(options: ChannelOptions | undefined): ReplyLimits {
  const limit = options?.["grpc.max_receive_message_length"] ?? channelDefaults["grpc.max_receive_message_length"];
  const bytes = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  return { bytes, fields: Math.max(minFieldLimit, Math.floor(bytes / bytesPerField)) };
}

/** Adds up the sizes of the replies that form one list. */
export class ListSize {
  readonly #path: string;
  #bytes = 0;
  #fields = 0;

  /** @param path the gRPC path of the call, for the error */
  constructor(path: string) {
    this.#path = path;
  }

  /** Adds a reply. @throws ClientError RESOURCE_EXHAUSTED if the list exceeds the limits of a single reply */
  add(reply: { bytes: number; fields: number; limits: ReplyLimits }): void {
    const { limits } = reply;
    this.#bytes += reply.bytes;
    // The reply itself counts as a field, so that an endless list of empty replies also exceeds the limit.
    this.#fields += reply.fields + 1;
    if (this.#bytes <= limits.bytes && this.#fields <= limits.fields) return;
    const details = `Received list larger than max (${limits.bytes} bytes or ${limits.fields} fields)`;
    throw new ClientError(this.#path, Status.RESOURCE_EXHAUSTED, details);
  }
}
