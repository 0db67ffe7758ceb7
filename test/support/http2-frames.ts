/**
 * Writes HTTP/2 frames that no library would send. Reads frames only by splitting the bytes of the client into them.
 *
 * @module
 */

/** The types of frames. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** The flags of frames. */
export const frameFlag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4 } as const;

/** A header field. Names are lower case. */
export type HeaderField = readonly [name: string, value: string | Buffer];

/** The connection preface of a client. */
export const clientPreface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Encodes a frame without checking anything, not even its length. */
export function encodeFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** Encodes header fields as literals without indexing or Huffman coding. */
export function encodeHeaderBlock(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), ...encodeString(name), ...encodeString(value)]),
  );
}

function encodeString(text: string | Buffer): Buffer[] {
  const bytes = Buffer.from(text as string, "latin1");
  if (bytes.length < 127) return [Buffer.of(bytes.length), bytes];
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return [Buffer.from([...length, rest]), bytes];
}

/** Encodes a 32-bit number, the payload of several frames. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Splits the bytes of a client into frames. */
export class FrameReader {
  #unread: Buffer = Buffer.alloc(0);
  #prefaceRead = false;

  constructor(private readonly onFrame: (type: number, flags: number, streamId: number, payload: Buffer) => void) {}

  write(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#prefaceRead) {
      if (this.#unread.length < clientPreface.length) return;
      this.#unread = this.#unread.subarray(clientPreface.length);
      this.#prefaceRead = true;
    }
    while (this.#unread.length >= 9) {
      const end = 9 + this.#unread.readUIntBE(0, 3);
      if (this.#unread.length < end) return;
      const frame = this.#unread;
      this.#unread = frame.subarray(end);
      this.onFrame(frame.readUInt8(3), frame.readUInt8(4), frame.readUInt32BE(5) & 0x7fff_ffff, frame.subarray(9, end));
    }
  }
}
