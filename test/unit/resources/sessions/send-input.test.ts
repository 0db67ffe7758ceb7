import { Readable, Writable } from "node:stream";
import { expect, test } from "vitest";
import { sendInput } from "../../../../src/resources/sessions/send-input.js";

/** A command's input that takes so many chunks and is closed then. */
function input(most = Number.POSITIVE_INFINITY) {
  const taken: string[] = [];
  const stdin = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      if (taken.length === most) return callback(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
      taken.push(chunk.toString());
      callback();
    },
  });
  return { taken, stdin: stdin.on("error", () => {}) };
}

test.each([
  ["strings", ["a", "b"]],
  ["bytes", [Buffer.from("a"), new Uint8Array([98])]],
  ["a stream", Readable.from(["a", "b"])],
])("sends %s and the end", async (_, source) => {
  const { stdin, taken } = input();
  await sendInput(stdin, source);
  expect([taken.join(""), stdin.writableFinished]).toEqual(["ab", true]);
});

test("a command that does not read it all is no failure", async () => {
  const { stdin, taken } = input(1);
  await sendInput(stdin, ["a", "b", "c"]);
  expect(taken).toEqual(["a"]);
});

test.each(["EPIPE", "ERR_STREAM_PREMATURE_CLOSE", "EIO"])("an input that fails is one, also with %s", async (code) => {
  const { stdin } = input();
  const failure = Object.assign(new Error("the source broke"), { code });
  async function* broken() {
    yield "a";
    throw failure;
  }
  await expect(sendInput(stdin, broken())).rejects.toBe(failure);
  expect(stdin.writableFinished).toBe(false);
});

test("an input that is destroyed in the middle is one too", async () => {
  const { stdin } = input();
  const source = new Readable({ read() {} });
  source.push("a");
  setTimeout(() => source.destroy(), 10);
  await expect(sendInput(stdin, source)).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
  expect(stdin.writableFinished).toBe(false);
});
