/*
 * gRPC's framing on HTTP/2: length-prefixed messages, grpc-timeout, percent-encoded error messages and metadata.
 */

/**
 * Adds the five-byte prefix of an uncompressed message. The length in the prefix includes `bytesToFollow`, which are sent later.
 */
export function frame(message: Uint8Array, bytesToFollow = 0): Buffer {
  const framed = Buffer.allocUnsafe(message.length + 5);
  framed[0] = 0;
  framed.writeUInt32BE(message.length + bytesToFollow, 1);
  framed.set(message, 5);
  return framed;
}

/** A request that cannot be decoded. */
export class FramingError extends Error {
  constructor(
    readonly kind: "too-large" | "compressed" | "truncated",
    message: string,
  ) {
    super(message);
  }
}

/** Returns the only message of a request body. An empty body is an empty message. @throws FramingError */
export function unframe(body: Buffer, maxMessageBytes: number): Uint8Array {
  if (body.length === 0) return body;
  if (body.length < 5) throw new FramingError("truncated", "the request ends within its prefix");
  if (body[0] !== 0) throw new FramingError("compressed", "compressed requests are not supported");
  const length = body.readUInt32BE(1);
  if (length > maxMessageBytes) throw tooLarge(length, maxMessageBytes);
  if (body.length < 5 + length) throw new FramingError("truncated", "the request ends within its message");
  return body.subarray(5, 5 + length);
}

/** Creates the error for a message above the limit, with the error message of gRPC's Go server. */
export function tooLarge(length: number, maxMessageBytes: number): FramingError {
  return new FramingError("too-large", `grpc: received message larger than max (${length} vs. ${maxMessageBytes})`);
}

const timeoutUnits: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** Parses a `grpc-timeout` header into milliseconds. Returns undefined if it is malformed. */
export function parseTimeout(header: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  if (!match) return undefined;
  return Number(match[1]) * (timeoutUnits[match[2] as string] as number);
}

/** Encodes a `grpc-message`: printable ASCII except `%` stays, everything else becomes percent-encoded UTF-8. */
export function encodeStatusMessage(text: string): string {
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}

/** One value, or several in their order in the request. Keys that end in `-bin` have bytes. */
export type MetadataValue = string | Uint8Array | readonly (string | Uint8Array)[];

/** Headers of the transport, which are not metadata. */
const transportHeaders = new Set([
  "te",
  "content-type",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-accept-encoding",
  "accept-encoding",
]);

/** Converts the raw headers of HTTP/2, a list of names and values, into request metadata. */
export function toMetadata(rawHeaders: readonly string[]): Record<string, MetadataValue> {
  const collected = new Map<string, (string | Uint8Array)[]>();
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const key = (rawHeaders[index] as string).toLowerCase();
    if (key.startsWith(":") || transportHeaders.has(key)) continue;
    const text = rawHeaders[index + 1] as string;
    const values = key.endsWith("-bin") ? text.split(",").map((part) => Buffer.from(part, "base64")) : [text];
    collected.set(key, [...(collected.get(key) ?? []), ...values]);
  }
  return Object.fromEntries(
    [...collected].map(([key, values]) => [key, values.length === 1 ? (values[0] as string | Uint8Array) : values]),
  );
}
