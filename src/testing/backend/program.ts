import { PassThrough, Writable } from "node:stream";
import type { ExecOutcome } from "./backend.js";
import type { ProgramIo } from "./program-io.js";

/**
 * A command written as a function: it reads and writes the given streams and returns its exit code. If the function throws, the
 * exit code is 255.
 */
export type Program = (io: ProgramIo) => number | Promise<number>;

/** Runs a program and resolves with its exit code. */
export async function runProgram(program: Program, io: ProgramIo): Promise<number> {
  try {
    return await program(io);
  } catch {
    return 255;
  }
}

/** Runs a command without a client. The input is empty, and the outputs are collected. */
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
