/** Copies of data whose source or session stops in the middle. */
import { EventEmitter, once } from "node:events";
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { Program } from "../../src/testing/index.js";
import { rejection, startFake } from "./support.js";

const pending = new Promise(() => {});

/** Sends one chunk of content, and then nothing. */
async function* stalled() {
  yield Buffer.alloc(100_000);
  await pending;
}

/** Starts a container in which sessions run the given program. */
async function startWith(program: Program) {
  const exec = (_container: unknown, [name]: readonly string[]) =>
    name === "ls" ? { stdout: "/etc/file\n" } : program;
  const { runtime, cri } = await startFake({ exec });
  const pod = await cri.pods.run({ name: "p" });
  return { runtime, cri, container: await pod.runContainer({ name: "c", image: "busybox:1" }) };
}

/** Creates a command that reads its input to the end. */
function reader() {
  const events = new EventEmitter();
  const program: Program = async ({ stdin }) => {
    for await (const _ of stdin) events.emit("begun");
    events.emit("ended");
    return 1;
  };
  return { program, begun: once(events, "begun"), ended: once(events, "ended") };
}

test("a write fails when the connection breaks, even while its source has nothing to send", async () => {
  const { program, begun } = reader();
  const { runtime, container } = await startWith(program);
  const source = Readable.from(stalled());
  const failure = rejection(container.writeFile("/etc/file", source, { size: 200_000 }));
  await begun;
  await runtime.kill();
  expect(await failure).toMatchObject({ code: "UNAVAILABLE" });
  expect(source.destroyed).toBe(true);
});

test("closing the client ends the input of a write, and waits until the command has ended", async () => {
  const { program, begun, ended } = reader();
  const { cri, container } = await startWith(program);
  const failure = rejection(container.writeFile("/etc/file", stalled(), { size: 200_000 }));
  await begun;
  const closed = cri.close();
  expect(await failure).toMatchObject({ code: "CLIENT_CLOSED" });
  await closed;
  await ended;
});

test("an aborted write rejects at once, even if the command does not read its input", async () => {
  const events = new EventEmitter();
  const started = once(events, "started");
  const { cri, container } = await startWith(async ({ signal }) => {
    events.emit("started");
    await once(signal, "abort");
    return 1;
  });
  const stop = new AbortController();
  const reason = new Error("enough");
  const failure = rejection(container.writeFile("/etc/file", Buffer.alloc(10_000_000), { signal: stop.signal }));
  await started;
  stop.abort(reason);
  expect(await failure).toBe(reason);
  // The client ends the session of a command that does not end.
  await cri.close();
});

test("putArchive sends only archives", async () => {
  const input: Buffer[] = [];
  const { container } = await startWith(async ({ stdin }) => {
    for await (const chunk of stdin) input.push(chunk as Buffer);
    return 1;
  });
  const failure = await rejection(container.putArchive("/etc", Buffer.alloc(10_000, "no archive")));
  expect(failure).toMatchObject({ code: "INVALID_INPUT", field: "archive" });
  expect(input).toEqual([]);
});

test("a container without tar or cat is reported as COMMAND_NOT_FOUND", async () => {
  const { container } = await startWith(async ({ stdin, stderr }) => {
    stdin.resume();
    stderr.write("sh: tar: not found\n");
    return 127;
  });
  expect(await rejection(container.writeFile("/etc/file", "content"))).toMatchObject({ code: "COMMAND_NOT_FOUND" });
  expect(await rejection(container.readFile("/etc/file"))).toMatchObject({ code: "COMMAND_NOT_FOUND" });
});

test("a failed read keeps its reason if the container has no ls to explain it", async () => {
  const { cri } = await startFake({
    exec: (_container, [name]) =>
      name === "cat"
        ? { exitCode: 1, stderr: "cat: /x: No such file or directory\n" }
        : { exitCode: 127, stderr: "ls: not found\n" },
  });
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  expect(await rejection(container.readFile("/x"))).toMatchObject({
    code: "NOT_FOUND",
    details: expect.stringContaining("cat"),
  });
});
