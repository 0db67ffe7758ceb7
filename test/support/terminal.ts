/** A terminal, or pipes, in memory: runs the command `k8s-cri-client` in this process. */
import { PassThrough, type Readable, Writable } from "node:stream";
import { runProgram } from "../../src/cli/program.js";
import { Interruption, type Terminal } from "../../src/cli/terminal.js";

/** What a command gets. */
export interface CliOptions {
  /** Whether the output is a terminal. @defaultValue false */
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly env?: Terminal["env"];
  readonly stdin?: Readable;
  readonly signal?: AbortSignal;
}

/** What a command printed, and its exit code. */
export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process. */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { isTTY = false, columns = 200, env = {}, stdin = new PassThrough().end() } = options;
  const stdout = collector(isTTY, columns);
  const stderr = collector(isTTY, columns);
  const signal = options.signal ?? new AbortController().signal;
  const exitCode = await runProgram(args, { stdin, stdout, stderr, env, signal });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

/** A command that runs until a person ends it. */
export interface LiveCli {
  /** What the command has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exitCode: Promise<number>;
  /** Sends a signal, by default that of Ctrl-C. */
  interrupt(exitCode?: number): void;
}

/** Starts a command line in this process. */
export function runLive(args: readonly string[], options: Pick<CliOptions, "stdin"> = {}): LiveCli {
  const ending = new AbortController();
  const [stdout, stderr] = [collector(false, 200), collector(false, 200)];
  const { stdin = new PassThrough() } = options;
  return {
    stdout: stdout.text,
    stderr: stderr.text,
    exitCode: runProgram(args, { stdin, stdout, stderr, env: {}, signal: ending.signal }),
    interrupt: (exitCode = 130) => ending.abort(new Interruption("ended by a signal", exitCode)),
  };
}

function collector(isTTY: boolean, columns: number) {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return Object.assign(output, { isTTY, columns, rows: 50, text: () => Buffer.concat(chunks).toString() });
}
