import { CreateContainerRequest, ListContainersResponse } from "../../src/proto.js";
import { Reply } from "../../src/transport/reply.js";
import { replyLimits } from "../../src/transport/reply-limits.js";
import { encodeRequest } from "../../src/transport/request-writer.js";

const limits = replyLimits(undefined);

/** Decodes a reply of ListContainers as the client's channel does. */
export function decodeReply(bytes: Uint8Array): ListContainersResponse {
  return new Reply(ListContainersResponse, bytes, limits).decodeAll();
}

/** Encodes a request of CreateContainer as the client does. */
export function encodeCreateContainer(request: CreateContainerRequest): Uint8Array {
  return encodeRequest(CreateContainerRequest, request);
}
