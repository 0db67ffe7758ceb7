/*
 * Frames of SPDY/3.1. All numbers are big-endian. Control frames begin with 0x8003, a type, flags (8 bits) and a length (24 bits),
 * data frames with the stream's number, flags and a length.
 */

/**
 * The control frames that CRI's streaming protocols use. Their header blocks are still compressed, because decompression depends on
 * all previous blocks.
 */
export type ControlFrame =
  | {
      type: "synStream";
      streamId: number;
      associatedStreamId: number;
      priority: number;
      slot: number;
      fin: boolean;
      unidirectional: boolean;
      headerBlock: Buffer;
    }
  | { type: "synReply"; streamId: number; fin: boolean; headerBlock: Buffer }
  | { type: "rstStream"; streamId: number; status: number }
  | { type: "ping"; id: number }
  | { type: "goAway"; lastGoodStreamId: number; status: number }
  | { type: "headers"; streamId: number; fin: boolean; headerBlock: Buffer };

/**
 * The type numbers of the control frames. SETTINGS and WINDOW_UPDATE are ignored: there is no setting to apply, and only the socket
 * limits how much is sent.
 */
export const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  ping: 6,
  goAway: 7,
  headers: 8,
} as const satisfies Record<ControlFrame["type"], number>;

/** Status codes of RST_STREAM. CRI servers end every stream with `cancel`, including successful ones. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  unsupportedVersion: 4,
  cancel: 5,
  internalError: 6,
  flowControlError: 7,
  streamInUse: 8,
  streamAlreadyClosed: 9,
} as const;

/** Length of the head of any frame. */
export const frameHeadLength = 8;

/** First 16 bits of a control frame: the control bit and version 3. */
export const controlMark = 0x8003;

/** Flag of SYN_STREAM, SYN_REPLY, HEADERS and DATA: the sender sends nothing more on the stream. */
export const finFlag = 0x01;

/** Flag of SYN_STREAM: the receiver must not send on the stream. */
export const unidirectionalFlag = 0x02;

/** The bits of a stream's number. */
export const idMask = 0x7fff_ffff;

/** Encodes the head of a data frame. Write the payload after it. */
export function encodeDataHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = Buffer.allocUnsafe(frameHeadLength);
  head.writeUInt32BE(streamId & idMask, 0);
  writeFlagsAndLength(head, fin ? finFlag : 0, length);
  return head;
}

/** Encodes a control frame. */
export function encodeFrame(frame: ControlFrame): Buffer {
  switch (frame.type) {
    case "synStream": {
      const fixed = Buffer.alloc(10);
      fixed.writeUInt32BE(frame.streamId, 0);
      fixed.writeUInt32BE(frame.associatedStreamId, 4);
      fixed[8] = frame.priority << 5;
      fixed[9] = frame.slot;
      const flags = (frame.fin ? finFlag : 0) | (frame.unidirectional ? unidirectionalFlag : 0);
      return control(frameTypes.synStream, flags, fixed, frame.headerBlock);
    }
    case "synReply":
    case "headers":
      return control(frameTypes[frame.type], frame.fin ? finFlag : 0, uint32s(frame.streamId), frame.headerBlock);
    case "rstStream":
      return control(frameTypes.rstStream, 0, uint32s(frame.streamId, frame.status));
    case "ping":
      return control(frameTypes.ping, 0, uint32s(frame.id));
    case "goAway":
      return control(frameTypes.goAway, 0, uint32s(frame.lastGoodStreamId, frame.status));
  }
}

function control(type: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(frameHeadLength);
  head.writeUInt16BE(controlMark, 0);
  head.writeUInt16BE(type, 2);
  const body = Buffer.concat(parts);
  writeFlagsAndLength(head, flags, body.length);
  return Buffer.concat([head, body]);
}

function writeFlagsAndLength(head: Buffer, flags: number, length: number): void {
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
}

function uint32s(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    bytes.writeUInt32BE(value, index * 4);
  });
  return bytes;
}
