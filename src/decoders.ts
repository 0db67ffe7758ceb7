/**
 * The door to the generated decoders of replies, which only this package uses.
 *
 * @module
 */
export { type ReplyDecoder, replyDecoders } from "../generated/runtime/v1/api.decode.js";
