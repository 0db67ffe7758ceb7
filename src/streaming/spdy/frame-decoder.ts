import {
  type ControlFrame,
  controlMark,
  finFlag,
  frameHeadLength,
  frameTypes,
  idMask,
  unidirectionalFlag,
} from "./frames.js";
import { protocolError } from "./protocol-error.js";

/** Longest control frame that is taken in, which leaves room for a header block. One is held in memory until it is complete. */
export const maxControlLength = 8_192;

/** Where decoded frames go. */
export interface FrameHandler {
  onFrame(frame: ControlFrame): void;
  /** A part of a data frame, as it came off the wire; `fin` with the last part only. The bytes share memory with the input. */
  onData(streamId: number, bytes: Buffer, fin: boolean): void;
}

/**
 * Takes a SPDY/3.1 connection apart into frames, however it was cut into chunks. Payloads of data frames are handed on in
 * parts and never collected or copied, so that their length is no concern; control frames are limited in length.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler;
  /** The head of a frame, and how much of it is there. */
  readonly #head = Buffer.alloc(frameHeadLength);
  #headFilled = 0;
  /** The rest of a control frame, and how much of it is there. */
  #body: Buffer | undefined;
  #bodyFilled = 0;
  /** The data frame that is being handed on. */
  #dataLeft = 0;
  #dataStreamId = 0;
  #dataFin = false;
  /** What is left of a control frame that has no meaning here. */
  #skipLeft = 0;
  #stopped = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Ignores everything from here on, the rest of the current chunk included. */
  stop(): void {
    this.#stopped = true;
  }

  /**
   * Decodes a chunk, up to so many frames that begin in it.
   *
   * @returns how many bytes were taken; the next chunk has to begin with the others
   * @throws CriError INTERNAL on a frame that is not allowed; what follows it cannot be made sense of
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
        this.#begin();
        frames++;
      }
    }
    return at;
  }

  /** A head is complete. */
  #begin(): void {
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
      this.#handler.onData(streamId, nothing, fin);
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

const nothing = Buffer.alloc(0);

const knownTypes: ReadonlySet<number> = new Set(Object.values(frameTypes));

const names = new Map(Object.entries(frameTypes).map(([name, type]) => [type as number, name]));

/** What a frame holds before its header block, or altogether. */
const fixedLengths: Readonly<Record<number, number>> = {
  [frameTypes.synStream]: 10,
  [frameTypes.synReply]: 4,
  [frameTypes.rstStream]: 8,
  [frameTypes.ping]: 4,
  [frameTypes.goAway]: 8,
  [frameTypes.headers]: 4,
};

const openEnded: ReadonlySet<number> = new Set([frameTypes.synStream, frameTypes.synReply, frameTypes.headers]);

function checkLength(type: number, length: number): void {
  const fixed = fixedLengths[type] ?? 0;
  const fits = openEnded.has(type) ? length >= fixed && length <= maxControlLength : length === fixed;
  if (!fits) throw protocolError(`a ${names.get(type)} frame of ${length} bytes`);
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
