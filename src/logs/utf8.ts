/**
 * Returns the last offset from `start` to `end` that is not within a UTF-8 character, so that a cut there does not change how the
 * bytes decode. The offset is `end` or up to three bytes before `end`. Bytes that are not UTF-8 can be cut anywhere.
 */
export function characterBoundary(bytes: Uint8Array, start: number, end: number): number {
  for (let at = end - 1; at >= start && at >= end - 3; at--) {
    const byte = bytes[at]!;
    if (byte < 0x80) return end;
    if (byte >= 0xc0) return end - at < sequenceLength(byte) ? at : end;
  }
  return end;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf8) return 1;
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}
