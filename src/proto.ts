/**
 * Every message type, enum and service definition of CRI v1.
 *
 * Each message has a constant of the same name that encodes, decodes, creates and converts it:
 * `Version.encode(message).finish()`, `Version.decode(bytes)`, `Version.fromPartial({ … })`, `Version.toJSON(message)`. Each enum
 * has functions from and to JSON: `containerStateFromJSON`, `containerStateToJSON`. The entries of maps have a type, too:
 * `Container_LabelsEntry`. The reference leaves these out, because they are alike.
 *
 * @module k8s-cri-client/proto
 */
import LongClass from "long";

export * from "../generated/runtime/v1/api.js";

// Not `export { default as Long }`: rolldown 1.2 exports `undefined` for that in CommonJS.
/**
 * The class of the 64-bit integers in messages, from the package `long`. Requests may also contain those of another copy of
 * `long`. In an ES module, `import Long from "long"` is another copy: for `instanceof`, use this class or `Long.isLong`.
 *
 * Loading this package adds `toJSON` to the classes of both, unless they have one, so that `JSON.stringify` writes decimal
 * strings, as in protobuf's JSON.
 */
export const Long = LongClass;
export type Long = LongClass;

// `JSON.stringify` would write `{ low, high, unsigned }` for times, bytes and CPU time. Messages are plain objects, so the
// method belongs to the class. It is not enumerable, and does not replace a method that the program has defined.
if (!("toJSON" in LongClass.prototype)) {
  Object.defineProperty(LongClass.prototype, "toJSON", {
    value(this: LongClass) {
      return this.toString();
    },
    configurable: true,
    writable: true,
  });
}
