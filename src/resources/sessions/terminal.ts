import { finished, type Readable, type Writable } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { onAbort } from "../../internal/abort.js";
import { startTimer } from "../../internal/timer.js";
import { stdinCannotEnd } from "../../streaming/stdin-cannot-end.js";
import type { StreamSession } from "./session.js";
import { TerminalModes } from "./terminal-modes.js";

/** Where typed bytes come from: `process.stdin`, another `tty.ReadStream`, or any stream of bytes. */
export interface TerminalInput extends Readable {
  /** Whether it is a terminal, which has the other two. */
  isTTY?: boolean | undefined;
  /** Whether every key is passed on as it is typed. */
  isRaw?: boolean | undefined;
  /** Sets {@link isRaw}. */
  setRawMode?: ((mode: boolean) => unknown) | undefined;
}

/** Where output goes: `process.stdout`, another `tty.WriteStream`, or any stream of bytes. `resize` events tell of a new size. */
export interface TerminalOutput extends Writable {
  /** The width in characters; absent where there is no terminal. */
  columns?: number | undefined;
  /** The height in characters; absent where there is no terminal. */
  rows?: number | undefined;
}

/** How a local terminal is connected to a session. */
export interface TerminalOptions {
  /** What is sent to the command. Nobody else should read it meanwhile. @defaultValue process.stdin */
  input?: TerminalInput | undefined;
  /** What the command's output is written to; it is never ended. @defaultValue process.stdout */
  output?: TerminalOutput | undefined;
  /** What standard error is written to, where a session has it apart; it is never ended. @defaultValue process.stderr */
  stderr?: Writable | undefined;
  /**
   * The keys that leave the session while the command runs on, as docker writes them: separated by commas, each `ctrl-` with one
   * of `a-z @ [ \ ] ^ _`, or a single ASCII character. `false` and `""` mean none. Keys that may be the beginning of them are
   * held back until the next ones tell.
   *
   * @defaultValue "ctrl-p,ctrl-q"; none without `tty`
   */
  detachKeys?: string | false | undefined;
  /** Whether the command has a terminal. Without, the local one keeps its mode and its size is not told. @defaultValue true */
  tty?: boolean | undefined;
  /** Ends the session. */
  signal?: AbortSignal | undefined;
}

/** What {@link runTerminal} needs of a session; exec and attach sessions have it. */
export type TerminalSession = Pick<
  StreamSession,
  "stdin" | "stdout" | "stderr" | "canHalfCloseStdin" | "resize" | "close"
> &
  ({ readonly exit: Promise<unknown> } | { readonly ended: Promise<unknown> });

/** What terminals take for the end of the input, at the beginning of a line: ctrl-d. */
const endOfInput = Buffer.from([4]);

/**
 * How long a command may go on, in milliseconds, until the end of its input is typed again. A shell that is just setting up its
 * terminal misses it and would wait for ever; and an end is an end for whoever reads next, too.
 */
const endOfInputAgainMs = 500;

/**
 * When the size is told again, in milliseconds: containerd loses one that comes before it has started the command, without a
 * word.
 */
const sizeAgainMs = [100, 400, 1_500];

/** How long a session that is being left may take for what was typed last, in milliseconds. */
const lastKeysMs = 1_000;

/** How long a terminal may take to be set back, in milliseconds. */
const resetMs = 1_000;

/**
 * Connects a local terminal to a session until the command ends or the detach keys are typed. A terminal as input is in raw mode
 * meanwhile: every key reaches the command, ctrl-c included. The size of the output is told at once and whenever it changes. The
 * end of the input is typed as ctrl-d with `tty`, again and again until the command ends: ending the stream would cost a
 * terminal's output on containerd. Without, it is passed on where the session `canHalfCloseStdin`, and fails elsewhere.
 *
 * Resolves with `detached: false` when the command has ended and all its output is written; with `detached: true` once the detach
 * keys were typed and what came before them is on its way. What follows them in the same chunk of input is lost. However it ends,
 * the session is closed, the terminal's mode is what it was, and the input is paused unless it was flowing before.
 *
 * What the command writes is passed on as it is, control sequences included. With `tty`, what it has changed about the terminal
 * and not set back is set back at the end: the alternate screen, a hidden cursor, reports of the mouse, bracketed paste,
 * attributes, the character set, the scroll region, the modes of the keyboard. A title and redefined colours stay.
 *
 * A process that ends meanwhile leaves the terminal in order as well, at exit and after an uncaught exception. When a signal
 * kills it, Node.js still sets back the mode of the input for SIGINT and SIGTERM, and nothing for others, such as SIGHUP and
 * SIGQUIT; `reset` helps then.
 *
 * @throws InvalidInputError if `detachKeys` makes no sense, before anything is touched; else what ended the session early: its
 * own error, the signal's reason, or the error of a local stream.
 */
export async function runTerminal(
  session: TerminalSession,
  options: TerminalOptions = {},
): Promise<{ detached: boolean }> {
  const { input = process.stdin, output = process.stdout, tty = true, signal } = options;
  const keys = parseDetachKeys(options.detachKeys ?? (tty ? "ctrl-p,ctrl-q" : false));
  const stderr = session.stderr && (options.stderr ?? process.stderr);
  const ended = "exit" in session ? session.exit : session.ended;
  const modes = tty ? new TerminalModes() : undefined;
  const undo: (() => void)[] = [];
  let lastKeys = Promise.resolve();
  try {
    signal?.throwIfAborted();
    const detached = await new Promise<boolean>((resolve, reject) => {
      if (signal) undo.push(onAbort(signal, () => reject(signal.reason)));
      const shown = Promise.all([show(session.stdout, output, reject, modes), show(session.stderr, stderr, reject)]);
      // Why an output broke off is better known to the end of the session, which comes in any case.
      shown.catch(() => {});
      ended.then(() => shown).then(() => resolve(false), reject);
      for (const stream of [output, stderr]) if (stream) undo.push(watchOutput(stream, reject));
      const detach = (sent: Promise<void>) => {
        lastKeys = sent;
        resolve(true);
      };
      undo.push(sendKeys(input, session, tty, new DetachKeys(keys), detach, reject));
      if (tty) undo.push(tellSize(output, session));
      if (tty) undo.push(makeRaw(input));
      if (modes) undo.push(resetAtExit(modes, output));
    });
    return { detached };
  } finally {
    // Backwards: while the mode is set back, errors of the input are still heard.
    for (const step of undo.reverse()) step();
    await lastKeys;
    await session.close();
    // The session may have been over already, and its output still be waiting here.
    session.stdout?.destroy();
    session.stderr?.destroy();
    // Nothing more is written after that.
    if (modes) await atMost(resetMs, resetModes(modes, output));
  }
}

/** @internal The bytes of detach keys; see {@link TerminalOptions.detachKeys}. */
export function parseDetachKeys(keys: string | false): Buffer {
  if (keys === false || keys === "") return Buffer.alloc(0);
  return Buffer.from(typeof keys === "string" ? keys.split(",").map(byteOf) : [byteOf(keys)]);
}

function byteOf(key: unknown): number {
  const name = typeof key === "string" ? key : "";
  const byte = name.charCodeAt(0);
  if (name.length === 1 && byte < 0x80) return byte;
  // What the control key does: it takes the upper bits away.
  if (/^ctrl-[a-z@[\\\]^_]$/.test(name)) return name.charCodeAt(5) & 0x1f;
  throw new InvalidInputError({
    field: "detachKeys",
    message: "must be ctrl-<a-z@[\\]^_> or single ASCII characters, separated by commas",
    value: key,
  });
}

/** Looks for the detach keys in what is typed, wherever its chunks begin and end. */
class DetachKeys {
  readonly #keys: Buffer;
  #held: Buffer = Buffer.alloc(0);

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** What can be sent now, and whether it is the last because the keys came behind it. */
  take(chunk: Buffer): { bytes: Buffer; detach: boolean } {
    const { length } = this.#keys;
    const bytes = Buffer.concat([this.#held, chunk]);
    const at = length > 0 ? bytes.indexOf(this.#keys) : -1;
    if (at >= 0) return { bytes: bytes.subarray(0, at), detach: true };
    let begun = Math.max(0, Math.min(bytes.length, length - 1));
    while (!bytes.subarray(bytes.length - begun).equals(this.#keys.subarray(0, begun))) begun--;
    this.#held = bytes.subarray(bytes.length - begun);
    return { bytes: bytes.subarray(0, bytes.length - begun), detach: false };
  }

  /** What was held back, when nothing can follow it. */
  rest(): Buffer {
    return this.#held;
  }
}

/** Sends what is typed, as fast as the session takes it. `detach` learns when all before the keys is on its way. */
function sendKeys(
  input: TerminalInput,
  session: TerminalSession,
  tty: boolean,
  keys: DetachKeys,
  detach: (sent: Promise<void>) => void,
  fail: (error: unknown) => void,
): () => void {
  const { stdin } = session;
  const wasFlowing = input.readableFlowing === true;
  let isLeft = false;
  let sent = Promise.resolve();
  let stopTyping = () => {};
  const send = (bytes: Buffer) => {
    // To a command that has closed its input nothing can be sent, but it can be left.
    if (bytes.length === 0 || !stdin?.writable) return;
    sent = new Promise((resolve) => {
      if (!stdin.write(bytes, () => resolve())) input.pause();
    });
  };
  const take = (chunk: Buffer | string) => {
    const typed = typeof chunk === "string" ? Buffer.from(chunk, input.readableEncoding ?? "utf8") : chunk;
    const { bytes, detach: isLast } = keys.take(typed);
    send(bytes);
    if (!isLast) return;
    isLeft = true;
    release();
    detach(atMost(lastKeysMs, sent));
  };
  const typeEnd = () => {
    send(endOfInput);
    stopTyping = startTimer(endOfInputAgainMs, typeEnd);
  };
  const forget = finished(input, { writable: false }, (error) => {
    if (error) return fail(error);
    if (isLeft) return;
    send(keys.rest());
    if (tty) typeEnd();
    else if (session.canHalfCloseStdin) stdin?.end();
    else fail(stdinCannotEnd());
  });
  const resume = () => void input.resume();
  const release = () => {
    stdin?.off("drain", resume).off("close", resume);
    input.off("data", take);
    input.resume();
    // Also if it is paused: when that was done as bytes arrived, Node.js reads on from a pipe, which keeps the process alive.
    if (!wasFlowing) input.pause();
  };
  // Whatever is wrong with it, the end of the session tells.
  stdin?.on("error", () => {});
  stdin?.on("drain", resume).on("close", resume);
  input.on("data", take).resume();
  return () => {
    release();
    forget();
    stopTyping();
  };
}

/** Writes an output to its end, each chunk after the one before it has been taken. */
async function show(
  from: Readable | null,
  to: Writable | null,
  fail: (error: unknown) => void,
  modes?: TerminalModes,
): Promise<void> {
  if (!from || !to) return;
  for await (const chunk of from) {
    modes?.take(chunk);
    const taken = new Promise<void>((resolve) => {
      // An error is an event as well, and waited for as such: it must not come when nobody listens any more.
      to.write(chunk, (error) => error ?? resolve());
    });
    // What `write` throws.
    taken.catch(fail);
    await taken;
  }
}

/** Calls back when an output breaks or is ended, which is nobody's business but its own. */
function watchOutput(output: Writable, fail: (error: unknown) => void): () => void {
  const message = "the output was ended while the command was still writing to it";
  return finished(output, { readable: false }, (error) => {
    fail(error ?? new CriError({ code: "ABORTED", message, mayHaveTakenEffect: true }));
  });
}

function tellSize(output: TerminalOutput, session: TerminalSession): () => void {
  const tell = () => {
    const { columns, rows } = output;
    if (columns && rows) session.resize({ columns, rows });
  };
  tell();
  const stopTimers = sizeAgainMs.map((ms) => startTimer(ms, tell));
  // Of a terminal; on Windows too, where there is no SIGWINCH.
  output.on("resize", tell);
  return () => {
    for (const stop of stopTimers) stop();
    output.off("resize", tell);
  };
}

function makeRaw(input: TerminalInput): () => void {
  if (!input.isTTY || input.isRaw || !input.setRawMode) return () => {};
  input.setRawMode(true);
  return () => void input.setRawMode?.(false);
}

/** Sets back what the command has left changed, on an output that still takes it. Resolves when that has left. */
async function resetModes({ reset }: TerminalModes, output: TerminalOutput): Promise<void> {
  if (reset === "" || !output.writable) return;
  const ignore = () => {};
  // An output that breaks now has nobody else to tell.
  output.on("error", ignore);
  const isWritten = await new Promise<boolean>((resolve) => void output.write(reset, (error) => resolve(!error)));
  if (isWritten) output.off("error", ignore);
}

function resetAtExit(modes: TerminalModes, output: TerminalOutput): () => void {
  const reset = () => void resetModes(modes, output);
  process.on("exit", reset);
  return () => void process.off("exit", reset);
}

function atMost(ms: number, promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const stopTimer = startTimer(ms, resolve);
    void promise.then(stopTimer).then(resolve);
  });
}
