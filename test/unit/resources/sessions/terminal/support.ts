/** A fake keyboard, screen and session for tests of the terminal. */
import type { EventEmitter } from "node:events";
import { PassThrough, Writable } from "node:stream";
import { expect } from "vitest";
import { runTerminal, type TerminalOptions } from "../../../../../src/resources/sessions/terminal/terminal.js";
import type { TerminalSize } from "../../../../../src/streaming/transport.js";

export const ctrlP = "\x10";
export const ctrlQ = "\x11";

export class FakeKeyboard extends PassThrough {
  isTTY = true;
  isRaw = false;
  readonly modes: boolean[] = [];
  setRawMode(mode: boolean): this {
    this.modes.push(mode);
    this.isRaw = mode;
    return this;
  }
}

export class FakeScreen extends Writable {
  columns = 80;
  rows = 24;
  text = "";
  /** If set, writes block. Calling it completes the pending write. */
  blocked: (() => void) | undefined;
  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    const accept = () => {
      this.text += chunk.toString();
      callback();
    };
    if (this.blocked) this.blocked = accept;
    else accept();
  }
}

export class FakeSession {
  readonly origin = { method: "RuntimeService/Exec", endpoint: "unix:///run/runtime.sock" };
  /** Null without `stdin`; typed for the tests that have it. */
  readonly stdin: PassThrough;
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

  constructor({ stdin = true, stderr = false, canHalfCloseStdin = true, reading = true }) {
    this.stdin = (stdin ? new PassThrough({ highWaterMark: 16 }) : null) as PassThrough;
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
    this.stdin?.on("data", (chunk) => {
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
export function open(settings: ConstructorParameters<typeof FakeSession>[0] = {}, options: TerminalOptions = {}) {
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
