import { finished, type Readable } from "node:stream";
import { startTimer, waitAtMost } from "../../../internal/timer.js";
import { stdinCannotEnd } from "../../../streaming/stdin-cannot-end.js";
import type { SessionOrigin } from "../../../streaming/transport.js";
import type { StreamSession } from "../session.js";
import type { DetachKeys } from "./detach-keys.js";

/** The source of typed bytes: `process.stdin`, another `tty.ReadStream`, or any stream of bytes. */
export interface TerminalInput extends Readable {
  /** Whether this is a terminal. Only a terminal has the other two properties. */
  isTTY?: boolean | undefined;
  /** Whether the terminal is in raw mode, which passes on every key as it is typed. */
  isRaw?: boolean | undefined;
  /** Turns raw mode on or off. */
  setRawMode?: ((mode: boolean) => unknown) | undefined;
}

/** ctrl-d, which a terminal interprets as the end of the input at the beginning of a line. */
const endOfInput = Buffer.from([4]);

/**
 * The interval at which the end of the input is typed again until the command ends, in milliseconds. A shell that is still
 * setting up its terminal misses the first one and would wait forever. Each ctrl-d ends the input of only one program, the one
 * that reads it.
 */
const endOfInputIntervalMs = 500;

/** How long detaching may wait until the keys before the detach keys are sent, in milliseconds. */
const flushTimeoutMs = 1_000;

/** Options of {@link sendKeys}. */
export interface SendKeysOptions {
  tty: boolean;
  detachKeys: DetachKeys;
  /** Called after the detach keys. `flushed` resolves when all keys before them are sent. */
  onDetach(flushed: Promise<void>): void;
  onError(error: unknown): void;
}

/** Sends typed keys to the session, as fast as the session accepts them. Returns a function that stops it. */
export function sendKeys(
  input: TerminalInput,
  session: Pick<StreamSession, "stdin" | "canHalfCloseStdin"> & { readonly origin: SessionOrigin },
  { tty, detachKeys, onDetach, onError }: SendKeysOptions,
): () => void {
  const { stdin } = session;
  const wasFlowing = input.readableFlowing === true;
  let isDetached = false;
  let sent = Promise.resolve();
  let stopTimer = () => {};
  const send = (bytes: Buffer) => {
    // If the command has closed its input, keys are dropped, but the detach keys still work.
    if (bytes.length === 0 || !stdin?.writable) return;
    sent = new Promise((resolve) => {
      if (!stdin.write(bytes, () => resolve())) input.pause();
    });
  };
  const onData = (chunk: Buffer | string) => {
    const typed = typeof chunk === "string" ? Buffer.from(chunk, input.readableEncoding ?? "utf8") : chunk;
    const { bytes, detach } = detachKeys.take(typed);
    send(bytes);
    if (!detach) return;
    isDetached = true;
    release();
    onDetach(waitAtMost(flushTimeoutMs, sent));
  };
  const typeEndOfInput = () => {
    send(endOfInput);
    stopTimer = startTimer(endOfInputIntervalMs, typeEndOfInput);
  };
  const unwatch = finished(input, { writable: false }, (error) => {
    if (error) return onError(error);
    if (isDetached) return;
    send(detachKeys.rest());
    if (tty) typeEndOfInput();
    else if (session.canHalfCloseStdin) stdin?.end();
    else onError(stdinCannotEnd(session.origin));
  });
  const resume = () => void input.resume();
  const release = () => {
    stdin?.off("drain", resume).off("close", resume);
    input.off("data", onData);
    input.resume();
    // Pauses even a paused input: if it was paused while bytes arrived, Node.js continues to read from a pipe, which keeps the
    // process alive.
    if (!wasFlowing) input.pause();
  };
  // The end of the session reports the reason.
  stdin?.on("error", () => {});
  stdin?.on("drain", resume).on("close", resume);
  input.on("data", onData).resume();
  return () => {
    release();
    unwatch();
    stopTimer();
  };
}

/** Turns on raw mode. Returns a function that restores the mode. */
export function makeRaw(input: TerminalInput): () => void {
  if (!input.isTTY || input.isRaw || !input.setRawMode) return () => {};
  input.setRawMode(true);
  return () => void input.setRawMode?.(false);
}
