import { PassThrough, type Readable, Transform, Writable } from "node:stream";
import type { TerminalSize } from "../../streaming/transport.js";

/** The capacity of a pipe on Linux. */
const pipeBytes = 65_536;

/** Returns a stream of the data that a client sends. The stream never fails: it ends when the client disconnects. */
export function inputStream(source: Readable | undefined): Readable {
  const inner = new PassThrough({ readableHighWaterMark: pipeBytes + 1 });
  if (!source) return inner.end();
  source.on("error", () => {}).once("close", () => inner.end());
  return source.pipe(inner);
}

/** Returns whether an {@link inputStream} has more unread data than fits into a pipe, so that a real writer would block. */
export function isPipeFull(stdin: Readable): boolean {
  return stdin.readableLength > pipeBytes;
}

/** Returns a stream to a client. The stream never fails: after the client has disconnected, it drops the data. */
export function outputStream(target: Writable | undefined): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback) {
      if (!target?.writable) return callback();
      const proceed = () => {
        target.off("close", proceed);
        callback();
      };
      target.once("close", proceed);
      target.write(chunk, proceed);
    },
  }).on("error", () => {});
}

/** Ends output streams, and waits until all their data was sent. */
export async function flush(outputs: Iterable<Writable>): Promise<void> {
  for (const stream of outputs) {
    if (stream.destroyed || stream.writableFinished) continue;
    await new Promise<void>((resolve) => stream.once("close", resolve).end());
  }
}

/** Returns a stream of terminal sizes, parsed from JSON objects. */
export function terminalSizes(source: Readable | undefined): Readable {
  let text = "";
  const parser = new Transform({
    readableObjectMode: true,
    transform(chunk: Buffer, _encoding, callback) {
      const objects = (text + chunk.toString()).split(/(?<=\})/);
      text = objects.at(-1)?.endsWith("}") ? "" : (objects.pop() ?? "");
      for (const object of objects) {
        const size = parseSize(object);
        if (size) this.push(size);
      }
      callback();
    },
  });
  return inputStream(source).pipe(parser);
}

/** Returns undefined for a size of 0, which servers ignore. */
function parseSize(json: string): TerminalSize | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(json);
    return columns >= 1 && rows >= 1 ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}
