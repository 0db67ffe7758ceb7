/** Checks the keys that are typed into a session. */
import { PassThrough } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ctrlP, FakeKeyboard, open } from "./support.js";

describe("keys", () => {
  test("reach the command, from a terminal in raw mode", async () => {
    const { input, session, ended, expectRestored } = open();
    expect(input.modes).toEqual([true]);
    input.write("ls\x03\r");
    await expect.poll(() => session.typed).toBe("ls\x03\r");
    session.end();
    expect(await ended).toEqual({ detached: false });
    expect(input.modes).toEqual([true, false]);
    await expectRestored();
  });

  test("reach the command when the input has an encoding", async () => {
    const { input, session, ended } = open();
    input.setEncoding("latin1");
    input.write(Buffer.from([0x80, 0xff]));
    await expect.poll(() => session.typed).toBe("\ufffd\ufffd");
    session.end();
    await ended;
  });

  test("the session ends normally if the terminal was closed meanwhile", async () => {
    const { input, session, ended, expectRestored } = open();
    input.setRawMode = (mode) => {
      input.isRaw = mode;
      input.emit("error", new Error("setRawMode EIO"));
      return input;
    };
    session.end();
    expect(await ended).toEqual({ detached: false });
    await expectRestored();
  });

  test("a raw terminal stays raw, a flowing input stays flowing, and an input without a terminal works", async () => {
    const input = new FakeKeyboard();
    input.isRaw = true;
    input.resume();
    const first = open({}, { input });
    first.session.end();
    await first.ended;
    expect(input.modes).toEqual([]);
    expect(input.isRaw).toBe(true);
    expect(input.readableFlowing).toBe(true);

    const plain = new PassThrough();
    const second = open({}, { input: plain });
    plain.write("x");
    await expect.poll(() => second.session.typed).toBe("x");
    second.session.end();
    expect(await second.ended).toEqual({ detached: false });
  });

  test("are paused while the command does not read", async () => {
    const { input, session, ended } = open({ reading: false });
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}\n`);
    for (const line of lines) input.write(line);
    await setTimeout(20);
    expect(session.stdin.writableLength + session.stdin.readableLength).toBeLessThan(100);
    session.read();
    await expect.poll(() => session.typed).toBe(lines.join(""));
    session.end();
    await ended;
  });

  test("the end of the input is typed on a terminal", async () => {
    const { input, session, ended, expectRestored } = open();
    input.end(`date\n${ctrlP}`);
    await expect.poll(() => session.typed).toBe(`date\n${ctrlP}\x04`);
    expect(session.stdin.writableEnded).toBe(false);
    session.end();
    expect(await ended).toEqual({ detached: false });
    await expectRestored();
  });

  test("the end of the input is typed again until the command ends", async () => {
    const { input, session, ended, expectRestored } = open();
    input.end("date\n");
    await expect.poll(() => session.typed, { timeout: 10_000 }).toBe("date\n\x04\x04");
    session.end();
    await ended;
    await expectRestored();
    const { typed } = session;
    await setTimeout(700);
    expect(session.typed).toBe(typed);
  });

  test("the end of the input is an error if it cannot be passed on", async () => {
    const { input, outcome, expectRestored } = open({ canHalfCloseStdin: false }, { tty: false });
    input.end("date\n");
    expect(await outcome).toMatchObject({ code: "UNIMPLEMENTED" });
    await expectRestored();
  });

  test("the end of the input is passed on to a command on pipes", async () => {
    const { input, session, ended, expectRestored } = open({}, { tty: false });
    input.end(`date\n${ctrlP}`);
    await expect.poll(() => session.typed).toBe(`date\n${ctrlP}`);
    await setImmediate();
    expect(session.stdin.writableEnded).toBe(true);
    session.stdout.write("Monday");
    session.end();
    expect(await ended).toEqual({ detached: false });
    await expectRestored();
  });
});

test("a session without stdin neither reads the input nor changes its mode", async () => {
  const { input, session, ended, output } = open({ stdin: false });
  input.write("typed");
  session.stdout.write("shown");
  session.end();
  expect(await ended).toEqual({ detached: false });
  expect(output.text).toBe("shown");
  expect(input.modes).toEqual([]);
  expect(input.read()?.toString()).toBe("typed");
  expect(session.closed).toBe(1);
});
