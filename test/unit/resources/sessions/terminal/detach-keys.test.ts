/** Checks the keys that leave a session. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { InvalidInputError } from "../../../../../src/errors.js";
import { ctrlP, ctrlQ, FakeKeyboard, open } from "./support.js";

describe("detach keys", () => {
  test.each([
    ["in one chunk", [`a${ctrlP}${ctrlQ}b`], "a"],
    ["split over chunks", ["ab", ctrlP, ctrlQ], "ab"],
    ["split after other keys", [`ab${ctrlP}`, `${ctrlQ}c`], "ab"],
    ["after the first of them and another key", [ctrlP, "x", ctrlP, ctrlQ], `${ctrlP}x`],
    ["after the first of them twice", [ctrlP, ctrlP, ctrlQ], ctrlP],
    ["after the first of them twice, in one chunk", [`${ctrlP}${ctrlP}${ctrlQ}`], ctrlP],
  ])("%s", async (_, chunks, typed) => {
    const { input, session, ended, expectRestored } = open();
    for (const chunk of chunks) {
      input.write(chunk);
      await setImmediate();
    }
    expect(await ended).toEqual({ detached: true });
    expect(session.typed).toBe(typed);
    expect(session.stdin.writableEnded).toBe(false);
    await expectRestored();
  });

  test("the first of them is held back until the next key", async () => {
    const { input, session, ended } = open();
    input.write(`a${ctrlP}`);
    await expect.poll(() => session.typed).toBe("a");
    await setTimeout(10);
    expect(session.typed).toBe("a");
    input.write("x");
    await expect.poll(() => session.typed).toBe(`a${ctrlP}x`);
    session.end();
    await ended;
  });

  test("can be chosen, even if they begin with the same key twice", async () => {
    const { input, session, ended } = open({}, { detachKeys: "a,a,ctrl-]" });
    for (const chunk of ["a", "b", "aa", "a", "\x1d"]) {
      input.write(chunk);
      await setImmediate();
    }
    expect(await ended).toEqual({ detached: true });
    expect(session.typed).toBe("aba");
  });

  test.each([
    ["ctrl-@", 0],
    ["ctrl-a", 1],
    ["ctrl-z", 26],
    ["ctrl-[", 27],
    ["ctrl-\\", 28],
    ["ctrl-]", 29],
    ["ctrl-^", 30],
    ["ctrl-_", 31],
    ["~", 126],
    ["\x01", 1],
  ])("%j is byte %d", async (detachKeys, byte) => {
    const { input, session, ended } = open({}, { detachKeys });
    input.write(Buffer.from([0x41, byte]));
    expect(await ended).toEqual({ detached: true });
    expect(session.typed).toBe("A");
  });

  test.each([
    ["false", { detachKeys: false as const }],
    ["empty", { detachKeys: "" }],
    ["no terminal", { tty: false }],
  ])("no keys detach: %s", async (_, options) => {
    const { input, session, ended } = open({}, options);
    input.write(`${ctrlP}${ctrlQ}`);
    await expect.poll(() => session.typed).toBe(`${ctrlP}${ctrlQ}`);
    session.end();
    expect(await ended).toEqual({ detached: false });
  });

  test.each(["ctrl-P", "ctrl-", "ctrl-1", "ctrl-p,", "ab", "é", 7, null])("%j is refused", async (detachKeys) => {
    const { input, output, session, outcome } = open(
      {},
      { detachKeys: detachKeys === null ? "," : (detachKeys as string) },
    );
    const error = await outcome;
    expect(error).toBeInstanceOf(InvalidInputError);
    expect(error).toMatchObject({ field: "detachKeys" });
    expect([input.modes, session.sizes, session.closed]).toEqual([[], [], 0]);
    expect(output.eventNames()).not.toContain("resize");
  });

  test("work after the command has closed its input", async () => {
    const { input, session, ended } = open({ reading: false });
    input.write("more than it takes, and more than that, and even more");
    await setImmediate();
    input.write("lost");
    expect(input.isPaused()).toBe(true);
    session.stdin.destroy(new Error("EPIPE"));
    input.write(ctrlP + ctrlQ);
    expect(await ended).toEqual({ detached: true });
  });

  test("wait for the keys before them to be sent, but not forever", async () => {
    const slow = open({ reading: false });
    const typed = "more than it takes, and more than that, and even more";
    slow.input.write(typed + ctrlP + ctrlQ);
    await setTimeout(50);
    expect(slow.input.isRaw).toBe(false);
    slow.session.read();
    expect(await slow.ended).toEqual({ detached: true });
    expect(slow.session.typed).toBe(typed);

    const stuck = open({ reading: false });
    stuck.input.write(typed + ctrlP + ctrlQ);
    expect(await stuck.ended).toEqual({ detached: true });
    await stuck.expectRestored();
  });

  test("do not end the input of the command if the local input ends after them", async () => {
    const input = new FakeKeyboard();
    input.resume();
    const { session, ended } = open({}, { input });
    const end = vi.spyOn(session.stdin, "end");
    input.write(`a${ctrlP}`);
    // Runs in the event loop, like the arrival of bytes, so that the stream ends before any promise continues.
    globalThis.setImmediate(() => input.end(ctrlQ));
    expect(await ended).toEqual({ detached: true });
    await setImmediate();
    expect(end).not.toHaveBeenCalled();
    expect(session.typed).toBe("a");
  });

  test("work after the command has ended, while its output is blocked", async () => {
    const { input, output, session, ended, expectRestored } = open();
    output.blocked = () => {};
    session.stdout.write("one");
    await setImmediate();
    session.stdout.write("two");
    session.end();
    await setImmediate();
    input.write(ctrlP + ctrlQ);
    expect(await ended).toEqual({ detached: true });
    await expectRestored();
    output.blocked();
    await setTimeout(10);
    expect(output.text).toBe("one");
  });

  test("leave later chunks to the next reader", async () => {
    const { input, session, ended } = open();
    input.write(`${ctrlP}${ctrlQ}`);
    input.write("mine");
    await ended;
    expect(session.typed).toBe("");
    expect(String(input.read())).toBe("mine");
  });
});
