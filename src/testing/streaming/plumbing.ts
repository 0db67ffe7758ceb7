import { PassThrough, type Readable, Transform, Writable } from "node:stream";
import type { TerminalSize } from "../../streaming/transport.js";

/** How much fits into a pipe of Linux. */
const pipeBytes = 65_536;

/** What a client sends, as a pipe that only ever ends: a client that breaks off is an end too. */
export function inlet(source: Readable | undefined): Readable {
  const inner = new PassThrough({ readableHighWaterMark: pipeBytes + 1 });
  if (!source) return inner.end();
  source.on("error", () => {}).once("close", () => inner.end());
  return source.pipe(inner);
}

/** Whether an {@link inlet} holds more than fits into a pipe, so that its writer waits for a reader. */
export function isFull(stdin: Readable): boolean {
  return stdin.readableLength > pipeBytes;
}

/** Something to write to that leads to the client and never fails: what nobody takes any more is dropped. */
export function outlet(target: Writable | undefined): Writable {
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

/** Ends outlets, and waits until all of what was written to them has left. */
export async function flush(outlets: Iterable<Writable>): Promise<void> {
  for (const stream of outlets) {
    if (stream.destroyed || stream.writableFinished) continue;
    await new Promise<void>((resolve) => stream.once("close", resolve).end());
  }
}

/** The sizes of a terminal, out of the JSON objects in which they are told. */
export function sizesOf(source: Readable | undefined): Readable {
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
  return inlet(source).pipe(parser);
}

/** Servers take no size without extent. */
function parseSize(json: string): TerminalSize | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(json);
    return columns >= 1 && rows >= 1 ? { columns, rows } : undefined;
  } catch {
    return undefined;
  }
}
