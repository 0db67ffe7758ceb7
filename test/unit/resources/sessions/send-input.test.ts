import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { sendInput } from "../../../../src/resources/sessions/send-input.js";

/** The input of a command that accepts `maxChunks` chunks and then closes it. */
function input(maxChunks = Number.POSITIVE_INFINITY) {
  const received: string[] = [];
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      if (received.length === maxChunks) return callback(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      received.push(chunk.toString());
      callback();
    },
  });
  return { received, stdin: stdin.on("error", () => {}) };
}

test.each([
  ["strings", ["a", "b"]],
  ["bytes", [Buffer.from("a"), new Uint8Array([98])]],
  ["a stream", Readable.from(["a", "b"])],
])("sends %s and the end", async (_, source) => {
  const { stdin, received } = input();
  await sendInput(stdin, source);
  expect([received.join(""), stdin.writableFinished]).toEqual(["ab", true]);
});

test("succeeds if the command does not read all of the input", async () => {
  const { stdin, received } = input(1);
  await sendInput(stdin, ["a", "b", "c"]);
  expect(received).toEqual(["a"]);
});

test.each(["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "EIO"])(
  "rejects with the error of the input, also with code %s",
  async (code) => {
    const { stdin } = input();
    const failure = Object.assign(new Error("the source broke"), { code });
    async function* broken() {
      yield "a";
      throw failure;
    }
    await expect(sendInput(stdin, broken())).rejects.toBe(failure);
    expect(stdin.writableFinished).toBe(false);
  },
);

test("rejects if the input is destroyed before its end", async () => {
  const { stdin } = input();
  const source = new Readable({ read() {} });
  source.push("a");
  setTimeout(() => source.destroy(), 10);
  await expect(sendInput(stdin, source)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  expect(stdin.writableFinished).toBe(false);
});
