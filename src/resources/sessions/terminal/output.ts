import { finished, type Readable, type Writable } from "node:stream";
import { CriError } from "../../../errors.js";
import { startTimer } from "../../../internal/timer.js";
import type { StreamSession } from "../session.js";
import type { TerminalModes } from "./modes.js";

/**
 * The destination of output: `process.stdout`, another `tty.WriteStream`, or any stream of bytes. It emits `resize` when its size
 * changes.
 */
export interface TerminalOutput extends Writable {
  /** The width in characters. Absent if this is not a terminal. */
  columns?: number | undefined;
  /** The height in characters. Absent if this is not a terminal. */
  rows?: number | undefined;
}

/**
 * The delays after which the size is sent again, in milliseconds. containerd silently drops a size that arrives before it has
 * started the command.
 */
const resizeDelaysMs = [100, 400, 1_500];

/** Copies an output to its end, and waits until each chunk is written. */
export async function copyOutput(
  from: Readable | null,
  to: Writable | null,
  onError: (error: unknown) => void,
  modes?: TerminalModes,
): Promise<void> {
  if (!from || !to) return;
  for await (const chunk of from) {
    modes?.take(chunk);
    const written = new Promise<void>((resolve) => {
      // A failed write never resolves: the stream also emits the error, which `watchOutput` handles.
      to.write(chunk, (error) => error ?? resolve());
    });
    // An error that `write` throws.
    written.catch(onError);
    await written;
  }
}

/** Calls back when an output breaks, or is ended by other code. Returns a function that stops watching. */
export function watchOutput(output: Writable, onError: (error: unknown) => void): () => void {
  const message = "the output was ended while the command was still writing to it";
  return finished(output, { readable: false }, (error) => {
    onError(error ?? new CriError({ code: "ABORTED", message, mayHaveTakenEffect: true }));
  });
}

/** Sends the size of the output to the session, now and whenever it changes. Returns a function that stops it. */
export function sendSize(output: TerminalOutput, session: Pick<StreamSession, "resize">): () => void {
  const send = () => {
    const { columns, rows } = output;
    if (columns && rows) session.resize({ columns, rows });
  };
  send();
  const timers = resizeDelaysMs.map((delayMs) => startTimer(delayMs, send));
  // Node.js emits this event on Windows too, which has no SIGWINCH.
  output.on("resize", send);
  return () => {
    for (const stopTimer of timers) stopTimer();
    output.off("resize", send);
  };
}

/** Resets the modes that the command left on. Resolves when the output has taken the reset, or has broken. */
export async function resetModes({ reset }: TerminalModes, output: TerminalOutput): Promise<void> {
  if (reset === "" || !output.writable) return;
  // Without a listener, an output that breaks now would end the process.
  const ignore = () => {};
  output.on("error", ignore);
  const isWritten = await new Promise<boolean>((resolve) => void output.write(reset, (error) => resolve(!error)));
  if (isWritten) output.off("error", ignore);
}

/** Resets the modes if the process exits. Returns a function that cancels this. */
export function resetModesAtExit(modes: TerminalModes, output: TerminalOutput): () => void {
  const reset = () => void resetModes(modes, output);
  process.on("exit", reset);
  return () => void process.off("exit", reset);
}
