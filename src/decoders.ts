/**
 * The generated decoders of replies, which this package does not export. Only this module and proto.ts import `generated/`.
 *
 * @module
 */
export { type ReplyDecoder, replyDecoders } from "../generated/runtime/v1/api.decode.js";
