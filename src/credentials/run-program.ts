import { type ChildProcess, spawn } from "node:child_process";
import { parse } from "node:path";
import { onAbort } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";

/** The maximum size of a program's output, and of its error output, in bytes. */
const maxOutputBytes = 256 * 1024;

/** The time to read the rest of the output after the program has ended, in milliseconds. */
const pipesMs = 1_000;

/** A program to run. It is not run in a shell. */
export interface Program {
  /** A path, or a name to find in the `PATH` of {@link env}. */
  readonly file: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** Written to the standard input, which then ends. */
  readonly input: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The result of a program that ended. */
export interface ProgramResult {
  /** Not set if a signal ended the program. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why a program has no result. `reason` follows the name of the program: `did not end within 60 s`. */
export class ProgramFailure extends Error {
  constructor(
    readonly reason: string,
    readonly timedOut = false,
  ) {
    super(reason);
  }
}

/**
 * Runs a program to its end. At the time limit, when the signal aborts, or when it prints too much, the program and the processes
 * that it started in its process group are killed.
 *
 * @throws ProgramFailure, or the reason of the signal
 */
export function runProgram({ file, args, env, input, timeoutMs, signal }: Program): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const child = start(file, args, env);
    const end = (settle: () => void) => {
      stopTimer();
      stopListening?.();
      stopWaiting?.();
      settle();
    };
    const fail = (reason: unknown) =>
      end(() => {
        kill(child);
        reject(reason);
      });
    const stopTimer = startTimer(timeoutMs, () =>
      fail(new ProgramFailure(`did not end within ${Math.round(timeoutMs / 100) / 10} s, and was killed`, true)),
    );
    const stopListening = signal && onAbort(signal, () => fail(signal.reason));
    let stopWaiting: (() => void) | undefined;
    child.once("error", (cause: NodeJS.ErrnoException) => fail(new ProgramFailure(notStarted(cause))));
    // Without free file descriptors, Node.js reports the error, but creates no pipes.
    if (!(child.stdin && child.stdout && child.stderr)) return;
    const tooMuch = () => fail(new ProgramFailure(`printed more than ${maxOutputBytes / 1_024} KiB, and was killed`));
    const stdout = collect(child.stdout, tooMuch);
    const stderr = collect(child.stderr, tooMuch);
    const succeed = (code: number | null) =>
      end(() => {
        closePipes(child);
        resolve({ exitCode: code ?? undefined, stdout: stdout(), stderr: stderr() });
      });
    child.once("close", succeed);
    // An agent that the program started may hold the pipes open for as long as it runs.
    child.once("exit", (code) => {
      stopWaiting = startTimer(pipesMs, () => succeed(code));
    });
    // A program that does not read its input closes it early.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Starts a program. @throws ProgramFailure for arguments that no program can have. Other failures are events of the process. */
function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  try {
    return spawn(file, args, {
      env,
      // The working directory may not exist any more, and the program must not keep it busy.
      cwd: parse(process.execPath).root,
      stdio: "pipe",
      // A process group of its own lets the client kill the children of the program, too.
      detached: process.platform !== "win32",
      windowsHide: true,
    });
  } catch (error) {
    // The error message of Node.js may contain the value of a variable.
    throw new ProgramFailure(`cannot be run: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Collects the output. Returns a function that returns it. */
function collect(stream: NodeJS.ReadableStream, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let length = 0;
  stream.on("error", () => {});
  stream.on("data", (chunk: Buffer) => {
    length += chunk.length;
    if (length > maxOutputBytes) onTooMuch();
    else chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function kill(child: ChildProcess): void {
  closePipes(child);
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // the group does not exist any more
  }
}

/** Another process may hold the pipes open. Closing them lets this process exit. */
function closePipes({ stdin, stdout, stderr }: ChildProcess): void {
  for (const stream of [stdin, stdout, stderr]) stream?.destroy();
}

function notStarted({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "is not installed";
  if (code === "EACCES") return "is not executable by this user";
  return `cannot be run: ${code ?? message}`;
}
