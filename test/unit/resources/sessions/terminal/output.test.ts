/** Checks the output of a session on the terminal, its size, and the reset of its modes. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { ctrlP, ctrlQ, open } from "./support.js";

describe("output", () => {
  test("is written to its end, even after the exit of the command", async () => {
    const { output, stderr, session, ended, expectRestored } = open({ stderr: true }, { tty: false });
    output.blocked = () => {};
    session.stdout.write("one ");
    session.stderr?.write("oops");
    await setImmediate();
    session.stdout.write("two");
    session.end();
    await setTimeout(10);
    expect(output.text).toBe("");
    const unblock = output.blocked;
    output.blocked = undefined;
    unblock();
    expect(await ended).toEqual({ detached: false });
    expect([output.text, stderr.text]).toEqual(["one two", "oops"]);
    await expectRestored();
  });

  test("applies backpressure to the command", async () => {
    const { output, session, ended } = open();
    output.blocked = () => {};
    let sent = 0;
    while (sent < 100 && session.stdout.write("0123456789")) {
      sent++;
      await setImmediate();
    }
    expect(sent).toBeLessThan(10);
    expect(output.writableLength).toBeLessThanOrEqual(20);
    const unblock = output.blocked;
    output.blocked = undefined;
    unblock();
    session.end();
    await ended;
    expect(output.text).toHaveLength(10 * (sent + 1));
  });

  test("sends its size at once and when it changes", async () => {
    const { output, session, ended } = open();
    expect(session.sizes).toEqual([{ columns: 80, rows: 24 }]);
    output.columns = 120;
    output.emit("resize");
    output.columns = 0;
    output.emit("resize");
    expect(session.sizes.slice(1)).toEqual([{ columns: 120, rows: 24 }]);
    session.end();
    await ended;
    output.emit("resize");
    expect(session.sizes).toHaveLength(2);
  });

  test("sends its size again for a runtime that had not started the command yet, and stops at the end", async () => {
    const { session, ended } = open();
    await expect.poll(() => session.sizes.length).toBeGreaterThan(1);
    expect(session.sizes.every(({ columns, rows }) => columns === 80 && rows === 24)).toBe(true);
    session.end();
    await ended;
    const sentCount = session.sizes.length;
    await setTimeout(450);
    expect(session.sizes).toHaveLength(sentCount);
  });

  test("sends no size and keeps the mode of the input without a terminal", async () => {
    const { input, session, ended } = open({}, { tty: false });
    expect([session.sizes, input.modes]).toEqual([[], []]);
    session.end();
    await ended;
  });
});

describe("changes of the terminal", () => {
  const left = "\x1b[?1049h\x1b[?25l";
  const reset = "\x1b[?25h\x1b[?1049l";

  test("are passed on unchanged, and reset when the command ends", async () => {
    const { output, session, ended, expectRestored } = open();
    session.stdout.write(`${left}bye`);
    session.end();
    await ended;
    expect(output.text).toBe(`${left}bye${reset}`);
    await expectRestored();
  });

  test.each<[string, (opened: ReturnType<typeof open>, abort: AbortController) => unknown]>([
    ["the detach keys are typed", ({ input }) => input.write(ctrlP + ctrlQ)],
    ["the session breaks", ({ session }) => session.break(new Error("the connection was cut"))],
    ["the signal aborts", (_opened, abort) => abort.abort()],
    ["the input breaks", ({ input }) => input.destroy(new Error("read EIO"))],
  ])("are reset when %s", async (_name, leave) => {
    const abort = new AbortController();
    const opened = open({}, { signal: abort.signal });
    opened.session.stdout.write(left);
    await expect.poll(() => opened.output.text).toBe(left);
    leave(opened, abort);
    await opened.outcome;
    expect(opened.output.text).toBe(left + reset);
  });

  test("are reset after the pending output of a slow terminal, and nothing is written after that", async () => {
    const abort = new AbortController();
    const { output, session, outcome, expectRestored } = open({}, { signal: abort.signal });
    output.blocked = () => {};
    session.stdout.write(left);
    await setImmediate();
    session.stdout.write("more");
    abort.abort();
    await outcome;
    const unblock = output.blocked;
    output.blocked = undefined;
    unblock();
    await expect.poll(() => output.text).toBe(left + reset);
    await setImmediate();
    await expectRestored();
  });

  test("are reset without an error even if writing the reset fails", async () => {
    const { output, session, ended } = open();
    session.stdout.write(left);
    await expect.poll(() => output.text).toBe(left);
    output._write = (_chunk, _encoding, callback: (error?: Error) => void) => callback(new Error("write EIO"));
    session.end();
    expect(await ended).toEqual({ detached: false });
    await expect.poll(() => output.destroyed).toBe(true);
  });

  test("are not reset if the command has no terminal, because its output may be a file", async () => {
    const { output, session, ended } = open({}, { tty: false });
    session.stdout.write(left);
    session.end();
    await ended;
    expect(output.text).toBe(left);
  });
});
