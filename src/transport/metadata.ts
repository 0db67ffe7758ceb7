import { Metadata } from "nice-grpc-common";
import { InvalidInputError } from "../errors.js";
import { fieldPath } from "../internal/field-names.js";
import { isRecord } from "../internal/record.js";
import type { CallOptions } from "../options.js";
import type { Layer } from "./wire-options.js";

type PlainMetadata = NonNullable<CallOptions["metadata"]>;

const rule =
  "is not valid gRPC metadata: keys consist of letters, digits, _, - and .; values are printable ASCII, or a Uint8Array for keys that end in -bin";

/** Converts metadata to nice-grpc's type. @throws InvalidInputError */
export function toMetadata(record: PlainMetadata): Metadata {
  if (!isRecord(record as unknown)) {
    throw new InvalidInputError({ field: "metadata", message: "must be an object of header names and values" });
  }
  const metadata = Metadata();
  for (const [key, value] of Object.entries(record)) {
    try {
      metadata.set(key, typeof value === "string" || value instanceof Uint8Array ? value : [...value]);
    } catch {
      // Metadata carries tokens, so the error contains neither the value nor nice-grpc's error, which quotes the value.
      throw new InvalidInputError({ field: fieldPath("metadata", key), message: rule });
    }
  }
  return metadata;
}

/** Adds the client's default metadata to a call. The call's own entries take precedence. */
export function defaultMetadataLayer(defaults: PlainMetadata, next: Layer): Layer {
  const entries = [...toMetadata(defaults)];
  return async function* defaultMetadata(call, options) {
    const metadata = Metadata(options.metadata);
    for (const [key, values] of entries) if (!metadata.has(key)) metadata.set(key, values);
    options.metadata = metadata;
    return yield* next(call, options);
  };
}
