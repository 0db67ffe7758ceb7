/**
 * The one door to the generated code: every message type, enum and service definition of CRI v1.
 * Nothing else in this package imports `generated/`, and users get the same module as `k8s-cri-client/proto`.
 *
 * @module
 */
import LongClass from "long";

export * from "../generated/runtime/v1/api.js";

// Not `export { default as Long }`: rolldown 1.2 makes `undefined` of that for CommonJS.
/** 64-bit integers of messages, from the package `long`. */
export const Long = LongClass;
export type Long = LongClass;
