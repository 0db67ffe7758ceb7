/** Checks the errors that end a terminal session. */
import { setImmediate, setTimeout } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { open } from "./support.js";

describe("ends with the error of", () => {
  test("the session", async () => {
    const { session, ended, expectRestored } = open();
    const reason = new Error("the connection was cut");
    // The output may break before the session reports the reason.
    session.stdout.destroy(new Error("broken"));
    await setImmediate();
    session.break(reason);
    await expect(ended).rejects.toBe(reason);
    await expectRestored();
  });

  test("the signal, which aborts before or during the session", async () => {
    const early = open({}, { signal: AbortSignal.abort("early") });
    await expect(early.ended).rejects.toBe("early");
    expect(early.input.modes).toEqual([]);
    expect(early.session.closed).toBe(1);

    const controller = new AbortController();
    const { output, session, ended, expectRestored } = open({}, { signal: controller.signal });
    // Aborts while only the output is still pending.
    output.blocked = () => {};
    session.stdout.write("x");
    session.end();
    await setImmediate();
    controller.abort("late");
    await expect(ended).rejects.toBe("late");
    await expectRestored();
  });

  test("an output that breaks", async () => {
    const { output, ended, session, expectRestored } = open();
    const epipe = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    output._write = (_chunk, _encoding, callback: (error?: Error) => void) => callback(epipe);
    // A socket also closes before it emits the error.
    output._destroy = (error, callback) => void setTimeout(5).then(() => callback(error));
    session.stdout.write("x");
    await expect(ended).rejects.toBe(epipe);
    await expectRestored();
  });

  test("an output that throws", async () => {
    const { output, ended, session, expectRestored } = open();
    const error = new Error("thrown");
    output.write = () => {
      throw error;
    };
    session.stdout.write("x");
    await expect(ended).rejects.toBe(error);
    await expectRestored();
  });

  test("an output that is closed or ended by other code", async () => {
    const closed = open();
    closed.output.destroy();
    await expect(closed.ended).rejects.toMatchObject({ code: "ERR_STREAM_PREMATURE_CLOSE" });
    await closed.expectRestored();
    const ended = open();
    ended.output.end();
    await expect(ended.ended).rejects.toMatchObject({ code: "ABORTED" });
    expect(ended.session.closed).toBe(1);
  });

  test("the input", async () => {
    const { input, ended, session } = open();
    input.destroy(new Error("read EIO"));
    await expect(ended).rejects.toThrow("read EIO");
    expect(session.closed).toBe(1);
    expect(input.modes).toEqual([true, false]);
  });
});
