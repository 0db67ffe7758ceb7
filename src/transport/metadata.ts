import { Metadata } from "nice-grpc-common";
import { InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { Layer } from "./wire-options.js";

type PlainMetadata = NonNullable<CallOptions["metadata"]>;

/** Metadata as nice-grpc takes it. */
export function toMetadata(record: PlainMetadata): Metadata {
  if (typeof record !== "object" || record === null) {
    throw new InvalidInputError({ field: "metadata", message: "must be an object of header names and values" });
  }
  const metadata = Metadata();
  for (const [key, value] of Object.entries(record)) {
    try {
      metadata.set(key, typeof value === "string" || value instanceof Uint8Array ? value : [...value]);
    } catch (cause) {
      // The value stays out of the message: metadata carries tokens.
      const field = `metadata[${JSON.stringify(key)}]`;
      throw new InvalidInputError({ field, message: "is not a valid gRPC metadata entry", cause });
    }
  }
  return metadata;
}

/** Adds the client's metadata to a call, where the call has no entry of its own. */
export function defaultMetadataLayer(defaults: PlainMetadata, next: Layer): Layer {
  const entries = [...toMetadata(defaults)];
  return async function* defaultMetadata(call, options) {
    const metadata = Metadata(options.metadata);
    for (const [key, values] of entries) if (!metadata.has(key)) metadata.set(key, values);
    options.metadata = metadata;
    return yield* next(call, options);
  };
}
