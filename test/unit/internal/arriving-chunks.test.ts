import { PassThrough, Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { arrivingChunks } from "../../../src/internal/arriving-chunks.js";

async function all(stream: Readable): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of arrivingChunks(stream)) {
    chunks.push(String(chunk));
    await setImmediate(); // others arrive meanwhile
  }
  return chunks;
}

test("yields each chunk as it arrived, without joining those that wait", async () => {
  const stream = new PassThrough();
  for (const chunk of ["a", "bc", "d"]) stream.write(chunk);
  stream.end("e");
  expect(await all(stream)).toEqual(["a", "bc", "d", "e"]);
});

test("a slow reader pauses the stream", async () => {
  let produced = 0;
  const stream = new Readable({
    read() {
      this.push(produced++ < 1_000 ? Buffer.alloc(64 * 1024) : null);
    },
  });
  let read = 0;
  for await (const _ of arrivingChunks(stream)) {
    read++;
    await setImmediate();
    expect(produced - read).toBeLessThan(20);
  }
  expect(read).toBe(1_000);
});

test("throws the error of the stream, or that it was destroyed", async () => {
  const failing = new PassThrough();
  failing.write("a");
  setImmediate().then(() => failing.destroy(new Error("reset")));
  await expect(all(failing)).rejects.toThrow("reset");
  const destroyed = new PassThrough();
  setImmediate().then(() => destroyed.destroy());
  await expect(all(destroyed)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
});

test("a reader that stops destroys the stream", async () => {
  const stream = new PassThrough();
  stream.write("a");
  for await (const chunk of arrivingChunks(stream)) {
    expect(String(chunk)).toBe("a");
    break;
  }
  expect(stream.destroyed).toBe(true);
});
