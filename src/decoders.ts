/**
 * The door to the generated decoders of replies, which only this package uses.
 *
 * @module
 */
export { type ReplyDecoder, type ReplySource, replyDecoders } from "../generated/runtime/v1/api.decode.js";
