import { protocolError } from "./errors.js";
import {
  type ControlFrame,
  controlMark,
  finFlag,
  frameHeadLength,
  frameTypes,
  idMask,
  unidirectionalFlag,
} from "./frames.js";

/** Limit on the length of a control frame in bytes. It is buffered until it is complete. The header blocks of sessions fit. */
export const maxControlLength = 8_192;

/** Receives decoded frames. */
export interface FrameHandler {
  onFrame(frame: ControlFrame): void;
  /** Receives a part of a data frame; `fin` is set on the last part only. The bytes share memory with the input. */
  onData(streamId: number, bytes: Buffer, fin: boolean): void;
}

/**
 * Decodes the chunks of a SPDY/3.1 connection into frames. Payloads of data frames are passed on in parts and never buffered or
 * copied, so their length needs no limit. Control frames are limited in length.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  /** The head of the current frame, and how many of its bytes have arrived. */
  readonly #head = Buffer.alloc(frameHeadLength);
  #headFilled = 0;
  /** The body of the current control frame, and how many of its bytes have arrived. */
  #body: Buffer | undefined;
  #bodyFilled = 0;
  /** The current data frame. */
  #dataLeft = 0;
  #dataStreamId = 0;
  #dataFin = false;
  /** How many bytes remain of an ignored control frame. */
  #skipLeft = 0;
  #stopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Ignores all further input, including the rest of the current chunk. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Decodes a chunk, and stops once `maxFrames` frames have begun in it.
   *
   * @returns the number of bytes that were decoded. Pass the remaining bytes again, before any new ones
   * @throws CriError INTERNAL on a malformed frame, after which the connection cannot be decoded
   */
  write(chunk: Buffer, maxFrames = Number.POSITIVE_INFINITY): number {
    let at = 0;
    let frames = 0;
    while (at < chunk.length && !this.#stopped && frames < maxFrames) {
      const rest = chunk.length - at;
      if (this.#dataLeft > 0) {
        const length = Math.min(rest, this.#dataLeft);
        this.#dataLeft -= length;
        this.#handler.onData(
          this.#dataStreamId,
          chunk.subarray(at, at + length),
          this.#dataFin && this.#dataLeft === 0,
        );
        at += length;
      } else if (this.#skipLeft > 0) {
        const length = Math.min(rest, this.#skipLeft);
        this.#skipLeft -= length;
        at += length;
      } else if (this.#body) {
        const length = chunk.copy(this.#body, this.#bodyFilled, at);
        this.#bodyFilled += length;
        at += length;
        if (this.#bodyFilled === this.#body.length) this.#endControl(this.#body);
      } else {
        const length = chunk.copy(this.#head, this.#headFilled, at);
        this.#headFilled += length;
        at += length;
        if (this.#headFilled < frameHeadLength) continue;
        this.#beginFrame();
        frames++;
      }
    }
    return at;
  }

  #beginFrame(): void {
    const head = this.#head;
    this.#headFilled = 0;
    const length = head.readUIntBE(5, 3);
    if ((head.readUInt8(0) & 0x80) === 0) {
      this.#beginData(length);
      return;
    }
    if (head.readUInt16BE(0) !== controlMark) throw protocolError("a frame of another version");
    const type = head.readUInt16BE(2);
    if (!knownTypes.has(type)) {
      this.#skipLeft = length;
      return;
    }
    checkLength(type, length);
    this.#body = Buffer.allocUnsafe(length);
    this.#bodyFilled = 0;
  }

  #beginData(length: number): void {
    const streamId = this.#head.readUInt32BE(0);
    if (streamId === 0) throw protocolError("data for stream 0");
    const fin = (this.#head.readUInt8(4) & finFlag) !== 0;
    if (length === 0) {
      this.#handler.onData(streamId, emptyBuffer, fin);
      return;
    }
    this.#dataStreamId = streamId;
    this.#dataLeft = length;
    this.#dataFin = fin;
  }

  #endControl(body: Buffer): void {
    this.#body = undefined;
    const frame = decodeControl(this.#head.readUInt16BE(2), this.#head.readUInt8(4), body);
    this.#handler.onFrame(frame);
  }
}

const emptyBuffer = Buffer.alloc(0);

const knownTypes: ReadonlySet<number> = new Set(Object.values(frameTypes));

const typeNames = new Map(Object.entries(frameTypes).map(([name, type]) => [type as number, name]));

/** The length of each type of frame. The header block, if the type has one, is not included. */
const fixedLengths: Readonly<Record<number, number>> = {
  [frameTypes.synStream]: 10,
  [frameTypes.synReply]: 4,
  [frameTypes.rstStream]: 8,
  [frameTypes.ping]: 4,
  [frameTypes.goAway]: 8,
  [frameTypes.headers]: 4,
};

const typesWithHeaderBlock: ReadonlySet<number> = new Set([
  frameTypes.synStream,
  frameTypes.synReply,
  frameTypes.headers,
]);

function checkLength(type: number, length: number): void {
  const fixed = fixedLengths[type] ?? 0;
  const fits = typesWithHeaderBlock.has(type) ? length >= fixed && length <= maxControlLength : length === fixed;
  if (!fits) throw protocolError(`a ${typeNames.get(type)} frame of ${length} bytes`);
}

function decodeControl(type: number, flags: number, body: Buffer): ControlFrame {
  const fin = (flags & finFlag) !== 0;
  const first = body.readUInt32BE(0);
  const streamId = first & idMask;
  switch (type) {
    case frameTypes.synStream: {
      const unidirectional = (flags & unidirectionalFlag) !== 0;
      const associatedStreamId = body.readUInt32BE(4) & idMask;
      const [priority, slot] = [body.readUInt8(8) >> 5, body.readUInt8(9)];
      const headerBlock = body.subarray(10);
      checkId(streamId);
      return { type: "synStream", streamId, associatedStreamId, priority, slot, fin, unidirectional, headerBlock };
    }
    case frameTypes.synReply:
      checkId(streamId);
      return { type: "synReply", streamId, fin, headerBlock: body.subarray(4) };
    case frameTypes.headers:
      checkId(streamId);
      return { type: "headers", streamId, fin, headerBlock: body.subarray(4) };
    case frameTypes.rstStream:
      checkId(streamId);
      return { type: "rstStream", streamId, status: body.readUInt32BE(4) };
    case frameTypes.ping:
      return { type: "ping", id: first };
    default:
      return { type: "goAway", lastGoodStreamId: streamId, status: body.readUInt32BE(4) };
  }
}

function checkId(streamId: number): void {
  if (streamId === 0) throw protocolError("a control frame for stream 0");
}
