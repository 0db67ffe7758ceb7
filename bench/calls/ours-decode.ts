import type { ListContainersResponse } from "../../src/proto.js";
import { RuntimeServiceDefinition } from "../../src/proto.js";
import { boundedDecoding, replyLimits } from "../../src/transport/bounded-decoding.js";

const { methods } = boundedDecoding(RuntimeServiceDefinition, replyLimits(undefined));

/** Decodes a reply of ListContainers as the client's channel does. */
export const decodeReply: (bytes: Uint8Array) => ListContainersResponse = methods.listContainers.responseType.decode;
