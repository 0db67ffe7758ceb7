import { constants } from "node:buffer";
import type { Readable } from "node:stream";
import { CriError, InvalidInputError } from "../../errors.js";
import { stdinCannotEnd } from "../../streaming/stdin-cannot-end.js";
import type { ClientContext } from "../context.js";
import { type ExecOptions, exec } from "./exec.js";
import { checkEncoding, demandZero, type ExecResult } from "./exec-result.js";
import { sendInput } from "./send-input.js";
import type { ExecSession } from "./session.js";

/** Options of execOutput. */
export interface ExecOutputOptions extends Omit<ExecOptions, "stdin" | "stdout" | "stderr" | "tty" | "terminalSize"> {
  /** What the command reads from its standard input, to the end. @defaultValue nothing */
  input?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /** What the output is given as. @defaultValue "utf8" */
  encoding?: "utf8" | "buffer" | undefined;
  /** Throw an `ExecError` when the exit code is not 0. @defaultValue false */
  throwOnNonZero?: boolean | undefined;
  /**
   * How much of each output to take, in bytes; more ends the session with an error. Text cannot be longer than strings are in
   * Node.js, about 512 MiB. @defaultValue 1 GiB
   */
  maxOutputBytes?: number | undefined;
}

const defaultMaxOutputBytes = 1024 ** 3;

/** A command over a streaming session, run to its end, with its output collected. */
export async function execOutput(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecOutputOptions = {},
): Promise<ExecResult | ExecResult<Uint8Array>> {
  const { input, encoding = "utf8", throwOnNonZero = false, maxOutputBytes = defaultMaxOutputBytes, ...rest } = options;
  checkEncoding(encoding);
  if (!(maxOutputBytes >= 0)) {
    throw new InvalidInputError({
      field: "maxOutputBytes",
      message: "must be a number of bytes",
      value: maxOutputBytes,
    });
  }
  const most = encoding === "utf8" ? Math.min(maxOutputBytes, constants.MAX_STRING_LENGTH) : maxOutputBytes;
  await using session = await exec(context, containerId, command, { ...rest, stdin: input !== undefined });
  const [stdout, stderr] = await Promise.all([
    collect(session.stdout, most, "stdout"),
    collect(session.stderr, most, "stderr"),
    sendWholeInput(context, session, input),
  ]);
  const { exitCode } = await session.exit;
  const result =
    encoding === "buffer"
      ? { exitCode, stdout: toBytes(stdout), stderr: toBytes(stderr) }
      : { exitCode, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
  if (throwOnNonZero) demandZero(result, "RuntimeService/Exec", context.connection.endpoint);
  return result;
}

async function collect(stream: Readable | null, most: number, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) {
      throw new CriError({
        code: "RESOURCE_EXHAUSTED",
        message: `the command's ${name} is longer than ${most} bytes, the most that maxOutputBytes and the encoding allow`,
        method: "RuntimeService/Exec",
        attempts: 1,
        mayHaveTakenEffect: true,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function sendWholeInput(
  context: ClientContext,
  session: ExecSession,
  input: ExecOutputOptions["input"],
): Promise<void> {
  if (input === undefined || !session.stdin) return;
  if (!session.canHalfCloseStdin) throw stdinCannotEnd(context.connection.endpoint);
  await sendInput(session.stdin, typeof input === "string" || input instanceof Uint8Array ? [input] : input);
}

function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
