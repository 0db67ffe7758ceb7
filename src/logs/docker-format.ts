import type { Line, LogFormat } from "./line.js";
import { timestampEnd } from "./timestamp.js";

/**
 * The log format of Docker's json-file driver, which containers of cri-dockerd have:
 * `{"log":"…\n","stream":"stdout","time":"<RFC 3339>"}`. If `log` does not end with a line break, the line is partial: Docker
 * splits lines after 16 KiB.
 */
export const dockerFormat: LogFormat = {
  readsBeginnings: false,
  parse(bytes: Buffer, start: number, end: number, line: Line): boolean {
    if (bytes[start] !== 0x7b) return false;
    const { log, stream, time } = parseObject(bytes.toString("utf8", start, end));
    if (typeof log !== "string" || typeof time !== "string") return false;
    if (stream !== "stdout" && stream !== "stderr") return false;
    const stamp = Buffer.from(time, "utf8");
    if (timestampEnd(stamp, 0, stamp.length) !== stamp.length) return false;
    line.stream = stream === "stdout" ? 0 : 1;
    line.partial = !log.endsWith("\n");
    line.stampBytes = stamp;
    line.stampStart = 0;
    line.stampEnd = stamp.length;
    line.bytes = Buffer.from(line.partial ? log : log.slice(0, -1), "utf8");
    line.start = 0;
    line.end = line.bytes.length;
    return true;
  },
};

function parseObject(json: string): Record<string, unknown> {
  try {
    // JSON that starts with a brace is an object.
    return JSON.parse(json);
  } catch {
    return {};
  }
}
