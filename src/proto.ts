/**
 * The one door to the generated code: every message type, enum and service definition of CRI v1.
 * Nothing else in this package imports `generated/`, and users get the same module as `k8s-cri-client/proto`.
 *
 * @module
 */
export { default as Long } from "long";
export * from "../generated/runtime/v1/api.js";
