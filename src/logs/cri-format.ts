import type { Line, LogFormat } from "./line.js";
import { timestampEnd } from "./timestamp.js";

const space = 0x20;
const colon = 0x3a;
const P = 0x50;

/**
 * The log format of CRI, which containerd and CRI-O write: `<RFC 3339> <stdout|stderr> <tag[:tag…]> <content>`. The first tag is
 * `P` for a partial line. Lines with any other first tag are full, so that later versions may add tags.
 *
 * Source: "CRI log format" in Kubernetes' design documents, and the kubelet's own reader.
 */
export const criFormat: LogFormat = {
  readsBeginnings: true,
  parse(bytes: Buffer, start: number, end: number, line: Line): boolean {
    const stampEnd = timestampEnd(bytes, start, end);
    const tag = stampEnd + 8;
    if (stampEnd < 0 || tag >= end || bytes[stampEnd] !== space || bytes[tag - 1] !== space) return false;
    const stream = streamAt(bytes, stampEnd + 1);
    if (stream === undefined) return false;
    let tagEnd = tag;
    while (bytes[tagEnd] !== space) if (++tagEnd >= end) return false;
    const next = bytes[tag + 1];
    line.stream = stream;
    line.partial = bytes[tag] === P && (next === space || next === colon);
    line.stampBytes = bytes;
    line.stampStart = start;
    line.stampEnd = stampEnd;
    line.bytes = bytes;
    line.start = tagEnd + 1;
    line.end = end;
    return true;
  },
};

/** Recognizes "stdout" and "stderr" byte by byte, which is faster than decoding a string. */
function streamAt(bytes: Buffer, at: number): 0 | 1 | undefined {
  if (bytes[at] !== 0x73 || bytes[at + 1] !== 0x74 || bytes[at + 2] !== 0x64) return undefined;
  if (bytes[at + 3] === 0x6f && bytes[at + 4] === 0x75 && bytes[at + 5] === 0x74) return 0;
  if (bytes[at + 3] === 0x65 && bytes[at + 4] === 0x72 && bytes[at + 5] === 0x72) return 1;
  return undefined;
}
