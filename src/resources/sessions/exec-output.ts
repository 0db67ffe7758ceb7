import { constants } from "node:buffer";
import { CriError, InvalidInputError } from "../../errors.js";
import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { stdinCannotEnd } from "../../streaming/stdin-cannot-end.js";
import type { ClientContext } from "../context.js";
import { exec } from "./exec.js";
import { checkEncoding, type ExecResult, requireZero } from "./exec-result.js";
import { sessionFields } from "./open-session.js";
import { sendInput } from "./send-input.js";
import type { ExecSession } from "./session.js";
import type { ExecOptions } from "./stream-options.js";

/** Options of `execOutput`. */
export interface ExecOutputOptions extends Omit<ExecOptions, "stdin" | "stdout" | "stderr" | "tty" | "terminalSize"> {
  /** The standard input of the command. The client ends the input after it. @defaultValue no input */
  input?: string | Uint8Array | AsyncIterable<string | Uint8Array> | undefined;
  /** The type of `stdout` and `stderr`: strings or bytes. @defaultValue "utf8" */
  encoding?: "utf8" | "buffer" | undefined;
  /** Throws an `ExecError` if the exit code is not 0. @defaultValue false */
  throwOnNonZero?: boolean | undefined;
  /**
   * Limits each of the two outputs, in bytes. A longer output ends the session with `RESOURCE_EXHAUSTED`. With `"utf8"`, the
   * limit is at most the maximum length of a string in Node.js, about 512 MiB.
   *
   * @defaultValue 1 GiB
   */
  maxOutputBytes?: number | undefined;
}

const execOutputFields: FieldsOf<ExecOutputOptions> = {
  input: true,
  encoding: true,
  throwOnNonZero: true,
  maxOutputBytes: true,
  commandTimeoutSeconds: true,
  killOnAbort: true,
  ...sessionFields,
};

const defaultMaxOutputBytes = 1024 ** 3;

/** Runs a command over a streaming session to its end, and collects its output. */
export async function execOutput(
  context: ClientContext,
  containerId: string,
  command: readonly string[],
  options: ExecOutputOptions = {},
): Promise<ExecResult | ExecResult<Uint8Array>> {
  checkOptions(options, execOutputFields);
  const { input, encoding = "utf8", throwOnNonZero = false, maxOutputBytes = defaultMaxOutputBytes, ...rest } = options;
  checkEncoding(encoding);
  if (!(maxOutputBytes >= 0)) {
    throw new InvalidInputError({
      field: "maxOutputBytes",
      message: "must be a number of bytes",
      value: maxOutputBytes,
    });
  }
  const maxBytes = encoding === "utf8" ? Math.min(maxOutputBytes, constants.MAX_STRING_LENGTH) : maxOutputBytes;
  await using session = await exec(context, containerId, command, { ...rest, stdin: input !== undefined });
  const [stdout, stderr] = await Promise.all([
    collect(session, "stdout", maxBytes),
    collect(session, "stderr", maxBytes),
    sendWholeInput(session, input),
  ]);
  const { exitCode } = await session.exit;
  const result =
    encoding === "buffer"
      ? { exitCode, stdout: toBytes(stdout), stderr: toBytes(stderr) }
      : { exitCode, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
  if (throwOnNonZero) requireZero(result, "RuntimeService/Exec", context.connection.endpoint);
  return result;
}

async function collect(session: ExecSession, name: "stdout" | "stderr", maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of (session[name] ?? []) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new CriError({
        ...session.origin,
        code: "RESOURCE_EXHAUSTED",
        message: `the command's ${name} is longer than ${maxBytes} bytes, the limit of maxOutputBytes and the encoding`,
        attempts: 1,
        mayHaveTakenEffect: true,
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}

async function sendWholeInput(session: ExecSession, input: ExecOutputOptions["input"]): Promise<void> {
  if (input === undefined || !session.stdin) return;
  if (!session.canHalfCloseStdin) throw stdinCannotEnd(session.origin);
  await sendInput(session.stdin, typeof input === "string" || input instanceof Uint8Array ? [input] : input);
}

function toBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
