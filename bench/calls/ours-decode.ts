import { ListContainersResponse } from "../../src/proto.js";
import { Reply } from "../../src/transport/reply.js";
import { replyLimits } from "../../src/transport/reply-limits.js";

const limits = replyLimits(undefined);

/** Decodes a reply of ListContainers as the client's channel does. */
export function decodeReply(bytes: Uint8Array): ListContainersResponse {
  return new Reply(ListContainersResponse, bytes, limits).decodeAll();
}
