import { spawn, spawnSync } from "node:child_process";
import type { EventEmitter } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { setImmediate, setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { InvalidInputError } from "../../../../../src/errors.js";
import { runTerminal, type TerminalOptions } from "../../../../../src/resources/sessions/terminal/terminal.js";
import type { TerminalSize } from "../../../../../src/streaming/transport.js";

const ctrlP = "\x10";
const ctrlQ = "\x11";

class FakeKeyboard extends PassThrough {
  isTTY = true;
  isRaw = false;
  readonly modes: boolean[] = [];
  setRawMode(mode: boolean): this {
    this.modes.push(mode);
    this.isRaw = mode;
    return this;
  }
}

class FakeScreen extends Writable {
  columns = 80;
  rows = 24;
  text = "";
  /** If set, writes block. Calling it completes the pending write. */
  blocked: (() => void) | undefined;
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const take = () => {
      this.text += chunk.toString();
      callback();
    };
    if (this.blocked) this.blocked = take;
    else take();
  }
}

class FakeSession {
  readonly stdin = new PassThrough({ highWaterMark: 16 });
  readonly stdout = new PassThrough({ highWaterMark: 16 });
  readonly stderr: PassThrough | null;
  readonly canHalfCloseStdin: boolean;
  readonly exit: Promise<{ exitCode: number }>;
  readonly sizes: TerminalSize[] = [];
  closed = 0;
  typed = "";
  end!: () => void;
  #fail!: (reason: unknown) => void;
  #over = false;

  constructor({ stderr = false, canHalfCloseStdin = true, reading = true }) {
    this.stderr = stderr ? new PassThrough() : null;
    this.canHalfCloseStdin = canHalfCloseStdin;
    this.exit = new Promise((resolve, reject) => {
      this.end = () => {
        this.#over = true;
        this.stdout.end();
        this.stderr?.end();
        resolve({ exitCode: 0 });
      };
      this.#fail = reject;
    });
    this.exit.catch(() => {});
    // Streams of real sessions do the same: the end of the session reports the reason.
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.on("error", () => {});
    if (reading) this.read();
  }

  read(): void {
    this.stdin.on("data", (chunk) => {
      this.typed += chunk;
    });
  }

  resize(size: TerminalSize): void {
    this.sizes.push(size);
  }

  break(reason: Error): void {
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream?.destroy(reason);
    this.#fail(reason);
  }

  async close(): Promise<void> {
    this.closed++;
    if (!this.#over) this.break(new Error("closed"));
  }
}

function listenersOf(...emitters: EventEmitter[]): unknown {
  const counts = (emitter: EventEmitter) => emitter.eventNames().map((name) => [name, emitter.listenerCount(name)]);
  return emitters.map((emitter) => new Map(counts(emitter) as [string, number][]));
}

/** Runs a session on a fake terminal. `expectRestored` checks that the terminal is restored and no listener is left. */
function open(settings: ConstructorParameters<typeof FakeSession>[0] = {}, options: TerminalOptions = {}) {
  const input = new FakeKeyboard();
  const output = new FakeScreen();
  const stderr = new FakeScreen();
  const session = new FakeSession(settings);
  const before = listenersOf(input, output, stderr, process);
  const ended = runTerminal(session, { input, output, stderr, ...options });
  const outcome = ended.catch((error: unknown) => error);
  const expectRestored = async () => {
    await outcome;
    expect(input.isRaw).toBe(false);
    // On Node.js 26, an input that has ended is not paused.
    expect(input.isPaused() || input.readableEnded).toBe(true);
    expect(listenersOf(input, output, stderr, process)).toEqual(before);
    expect(output.writableEnded || stderr.writableEnded).toBe(false);
    expect(session.closed).toBe(1);
    expect(session.stdout.destroyed).toBe(true);
  };
  return { input, output, stderr, session, ended, outcome, expectRestored };
}

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

  test("the session ends normally if the terminal is gone by then", async () => {
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

describe("detach keys", () => {
  test.each([
    ["in one chunk", [`a${ctrlP}${ctrlQ}b`], "a"],
    ["split over chunks", ["ab", ctrlP, ctrlQ], "ab"],
    ["split after other keys", [`ab${ctrlP}`, `${ctrlQ}c`], "ab"],
    ["after a false start", [ctrlP, "x", ctrlP, ctrlQ], `${ctrlP}x`],
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

  test("a false start is held back until the next key", async () => {
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

  test("can be chosen, with a repeated beginning", async () => {
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
  ])("none: %s", async (_, options) => {
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
    const take = output.blocked;
    output.blocked = undefined;
    take();
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
    const take = output.blocked;
    output.blocked = undefined;
    take();
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
    const take = output.blocked;
    output.blocked = undefined;
    take();
    await expect.poll(() => output.text).toBe(left + reset);
    await setImmediate();
    await expectRestored();
  });

  test("are reset without an error even if the output breaks by then", async () => {
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

  test("the signal, before and during", async () => {
    const early = open({}, { signal: AbortSignal.abort("early") });
    await expect(early.ended).rejects.toBe("early");
    expect(early.input.modes).toEqual([]);
    expect(early.session.closed).toBe(1);

    const controller = new AbortController();
    const { output, session, ended, expectRestored } = open({}, { signal: controller.signal });
    // Aborts also while only the output is still pending.
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

const script = spawnSync("script", ["--version"]).status === 0;
if (!script) console.warn("SKIPPED: runTerminal on a real terminal: util-linux's `script` is missing");

describe.skipIf(!script)("a real terminal", () => {
  const folder = mkdtempSync(join(tmpdir(), "terminal-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const source = new URL("../../../../../src/resources/sessions/terminal/terminal.ts", import.meta.url).href;
  const child = join(folder, "child.mts");
  writeFileSync(
    child,
    `import { execFileSync } from "node:child_process";
    import { PassThrough } from "node:stream";
    import { runTerminal } from ${JSON.stringify(source)};
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    const stty = (...args) => execFileSync("stty", args, { stdio: ["inherit", "pipe", "inherit"], encoding: "utf8" });
    const flags = () => (stty("-a").match(/-?(icanon|echo)\\b/g) ?? []).sort().join(" ");
    let end, fail;
    const exit = new Promise((resolve, reject) => { end = resolve; fail = reject; });
    exit.catch(() => {});
    stdin.on("data", (bytes) => {
      for (const key of String(bytes)) {
        if (key === "e") { stdout.end("bye;"); end({ exitCode: 0 }); }
        else if (key === "s") stty("cols", "90");
        else if (key === "a") stdout.write("\\x1b[?1049h");
        else if (key === "t") throw new Error("uncaught");
        else if (key === "k") process.kill(process.pid, "SIGTERM");
        else stdout.write("key " + key.charCodeAt(0) + ";");
      }
    });
    const session = {
      stdin, stdout, stderr: null, canHalfCloseStdin: true, exit,
      resize: ({ columns, rows }) => stdout.write("size " + columns + "x" + rows + ";"),
      close: async () => { stdout.destroy(); fail(new Error("closed")); },
    };
    const result = runTerminal(session, {});
    stdout.write("during " + flags() + ";");
    console.log("after " + JSON.stringify(await result) + " " + flags() + ";");
    `,
  );

  /** Takes pairs of an output and a key, and types each key when the output has appeared. */
  async function type(...steps: string[]): Promise<string> {
    const command = `stty cols 80 rows 24; ${process.execPath} --import tsx ${child}; echo "rc $?;"; stty -a`;
    const terminal = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: fileURLToPath(new URL("../../../..", import.meta.url)),
      stdio: ["pipe", "pipe", "inherit"],
    });
    let text = "";
    terminal.stdout.on("data", (bytes) => {
      text += bytes;
    });
    const closed = new Promise((resolve) => terminal.once("close", resolve));
    try {
      for (let i = 0; i < steps.length; i += 2) {
        await expect.poll(() => text, { timeout: 20_000 }).toContain(steps[i]);
        terminal.stdin.write(steps[i + 1] as string);
      }
      await closed;
    } finally {
      terminal.kill();
    }
    return text;
  }

  const restored = /[^-]icanon[\s\S]*[^-]echo\b/;

  test("is raw during the session, follows the window size, and is restored when the command ends", async () => {
    const text = await type("during", "\x03", "key 3;", "s", "size 90x24", "e");
    expect(text).toContain("size 80x24;");
    expect(text).toContain("during -echo -icanon;");
    expect(text).toContain('bye;after {"detached":false} echo icanon;');
    expect(text).toContain("rc 0;");
    expect(text.split("rc 0;")[1]).toMatch(restored);
  });

  test("lets the process end after detaching", async () => {
    const text = await type("during", ctrlP, "during", ctrlQ);
    expect(text).toContain('after {"detached":true} echo icanon;');
    expect(text.split("rc 0;")[1]).toMatch(restored);
  });

  test("leaves the alternate screen after an uncaught exception", async () => {
    const text = await type("during", "a", "\x1b[?1049h", "t");
    expect(text.split("\x1b[?1049h")[1]).toContain("\x1b[?1049l");
  });

  test.each([
    ["an uncaught exception", "t", "rc 1;"],
    ["SIGTERM", "k", "rc 143;"],
  ])("is restored after %s", async (_, key, code) => {
    const text = await type("during", key);
    expect(text).not.toContain("after");
    expect(text.split(code)[1]).toMatch(restored);
  });
});
