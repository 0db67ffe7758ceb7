import { protocolError } from "./errors.js";

/** Headers of a stream. Names are in lower case on the wire; a name may have several values. */
export type SpdyHeaders = ReadonlyMap<string, readonly string[]>;

/** Limit on a decompressed header block, in bytes. CRI servers send empty ones, their clients a few short headers. */
export const maxHeaderBytes = 4_096;

/** Encodes a header block before compression: a count, then names and values, each preceded by its length. */
export function encodeHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(headers);
  const parts = [uint32(entries.length)];
  for (const [name, value] of entries) parts.push(...sized(name.toLowerCase()), ...sized(value));
  return Buffer.concat(parts);
}

/** Decodes a decompressed header block. @throws CriError INTERNAL if it is malformed */
export function decodeHeaders(block: Buffer): SpdyHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw protocolError("a truncated header block");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (length > block.length - at) throw protocolError("a header that is longer than its block");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const headers = new Map<string, readonly string[]>();
  for (let left = number(); left > 0; left--) {
    const name = text();
    if (name === "" || name !== name.toLowerCase())
      throw protocolError("a header name that is empty or not in lower case");
    if (headers.has(name)) throw protocolError("a repeated header");
    headers.set(name, text().split("\0"));
  }
  if (at !== block.length) throw protocolError("a header block with data after its last header");
  return headers;
}

function sized(text: string): Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  return [uint32(bytes.length), bytes];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
