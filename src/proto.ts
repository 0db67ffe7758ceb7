/**
 * The one door to the generated code: every message type, enum and service definition of CRI v1.
 * Nothing else in this package imports `generated/`, and users get the same module as `k8s-cri-client/proto`.
 *
 * @module
 */
import LongClass from "long";

export * from "../generated/runtime/v1/api.js";

// Not `export { default as Long }`: rolldown 1.2 makes `undefined` of that for CommonJS.
/**
 * 64-bit integers of messages, from the package `long`. `JSON.stringify` writes them as strings of decimal digits, as protobuf's
 * JSON does: loading this package adds `toJSON` to the class, unless it has one.
 */
export const Long = LongClass;
export type Long = LongClass;

// `JSON.stringify` would write `{ low, high, unsigned }`, and CRI counts times, bytes and CPU in such numbers. Messages are plain
// objects, so the place for it is the class: not enumerable, and left alone if the program has defined its own.
if (!("toJSON" in LongClass.prototype)) {
  Object.defineProperty(LongClass.prototype, "toJSON", {
    value(this: LongClass) {
      return this.toString();
    },
    configurable: true,
    writable: true,
  });
}
