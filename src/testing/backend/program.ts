import { PassThrough, Writable } from "node:stream";
import type { ExecOutcome } from "./backend.js";
import type { ProgramIo } from "./program-io.js";

/** A command, written as a function: reads and writes what it is given, and returns its exit code. A throw is exit code 255. */
export type Program = (io: ProgramIo) => number | Promise<number>;

/** Runs a program to its exit code. */
export async function play(program: Program, io: ProgramIo): Promise<number> {
  try {
    return await program(io);
  } catch {
    return 255;
  }
}

/** Runs something without a client: its input is empty, its output is collected. */
export async function collectOutput(
  signal: AbortSignal,
  run: (io: ProgramIo) => Promise<number>,
): Promise<ExecOutcome> {
  const outputs = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const exitCode = await run({
    stdin: new PassThrough().end(),
    stdout: collector(outputs.stdout),
    stderr: collector(outputs.stderr),
    tty: false,
    sizes: new PassThrough({ objectMode: true }).end(),
    signal,
  });
  return { exitCode, stdout: Buffer.concat(outputs.stdout), stderr: Buffer.concat(outputs.stderr) };
}

function collector(chunks: Buffer[]): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
}
