import { ListContainersResponse } from "../../src/proto.js";
import { decodeReply as decode, replyLimits } from "../../src/transport/reply-decoding.js";

const limits = replyLimits(undefined);

/** Decodes a reply of ListContainers as the client's channel does. */
export function decodeReply(bytes: Uint8Array): ListContainersResponse {
  return decode(ListContainersResponse, bytes, limits);
}
