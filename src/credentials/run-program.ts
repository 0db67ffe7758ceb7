import { type ChildProcess, spawn } from "node:child_process";
import { parse } from "node:path";
import { onAbort } from "../internal/abort.js";
import { startTimer } from "../internal/timer.js";

/** The maximum size of a program's output, and of its error output, in bytes. */
const maxOutputBytes = 256 * 1024;

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
    // A process group of its own lets the client kill the children of the program, too. The working directory is the root, so that
    // the program keeps no directory busy.
    const child = spawn(file, args, {
      env,
      cwd: parse(process.cwd()).root,
      stdio: "pipe",
      detached: process.platform !== "win32",
      windowsHide: true,
    });
    const end = (settle: () => void) => {
      stopTimer();
      stopListening?.();
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
    const tooMuch = () => fail(new ProgramFailure(`printed more than ${maxOutputBytes / 1_024} KiB, and was killed`));
    const stdout = collect(child.stdout, tooMuch);
    const stderr = collect(child.stderr, tooMuch);
    child.once("error", (cause: NodeJS.ErrnoException) => fail(new ProgramFailure(notStarted(cause))));
    child.once("close", (code) =>
      end(() => resolve({ exitCode: code ?? undefined, stdout: stdout(), stderr: stderr() })),
    );
    // A program that does not read its input closes it early.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
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
  // Another process may hold the pipes open. Closing them lets this process exit.
  for (const stream of child.stdio) stream?.destroy();
  if (child.pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    child.kill("SIGKILL"); // the group does not exist any more
  }
}

function notStarted({ code, message }: NodeJS.ErrnoException): string {
  if (code === "ENOENT") return "is not installed";
  if (code === "EACCES") return "is not executable by this user";
  return `cannot be run: ${code ?? message}`;
}
