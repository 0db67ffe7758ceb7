import { CriError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import type { ExecSyncResponse } from "../../proto.js";
import { pinDeadline } from "../../rpcs/budget.js";
import * as rpcs from "../../rpcs/containers.js";
import { commandAtLimit, isTimeoutReply } from "../../rpcs/error-messages/command-end.js";
import { maxMessageBytes } from "../../streaming/short-output.js";
import type { Connection } from "../../transport/connection.js";
import { checkCommand, checkCommandTimeout } from "./check-command.js";
import { checkEncoding, checkStarted, type ExecResult, requireZero } from "./exec-result.js";

/** Options of `execSync`. */
export interface ExecSyncOptions extends CallOptions {
  /**
   * Limits how long the command may run, in seconds, rounded up to whole seconds. At the limit the runtime kills the command, and
   * the call fails with `COMMAND_TIMED_OUT`. On Docker, the command keeps running. The default budget of the call is two minutes
   * more than this limit. With 0, the command has no limit and the call has no default budget.
   *
   * @defaultValue 0
   */
  commandTimeoutSeconds?: number | undefined;
  /** The type of `stdout` and `stderr`: strings or bytes. @defaultValue "utf8" */
  encoding?: "utf8" | "buffer" | undefined;
  /** Throws an `ExecError` if the exit code is not 0. @defaultValue false */
  throwOnNonZero?: boolean | undefined;
}

const execSyncFields: FieldsOf<ExecSyncOptions> = {
  commandTimeoutSeconds: true,
  encoding: true,
  throwOnNonZero: true,
  ...callOptionFields,
};

/** Runtimes store time limits as 64-bit nanoseconds or 32-bit seconds. */
const maxLimitSeconds = 2 ** 31 - 1;

/** Runs a command to its end and collects its output, with the same behaviour on every runtime. */
export async function execSync(
  connection: Connection,
  id: string,
  command: readonly string[],
  options: ExecSyncOptions = {},
): Promise<ExecResult | ExecResult<Uint8Array>> {
  checkOptions(options, execSyncFields);
  const { commandTimeoutSeconds = 0, encoding = "utf8", throwOnNonZero = false, ...callOptions } = options;
  checkCommand(command);
  checkCommandTimeout(commandTimeoutSeconds);
  checkEncoding(encoding);
  // CRI has whole seconds, and 0 means no limit, so half a second is rounded up to one.
  const limitSeconds = Math.ceil(commandTimeoutSeconds);
  const pinned = pinDeadline(callOptions);
  const wireSeconds = wireSecondsOf(limitSeconds, pinned.deadline);
  const reply = await rpcs.execSync(connection, id, [...command], wireSeconds, pinned).catch((error: unknown) => {
    // Docker sends the same error message when the deadline of the call has passed.
    const isPastDeadline = pinned.deadline !== undefined && pinned.deadline.getTime() <= Date.now();
    if (limitSeconds === 0 || isPastDeadline || !CriError.is(error, "DEADLINE_EXCEEDED")) throw error;
    const end = commandAtLimit(error.details);
    throw end ? timedOut(connection, limitSeconds, end, error) : error;
  });
  if (limitSeconds > 0 && isTimeoutReply(reply)) throw timedOut(connection, limitSeconds, "killed");
  const result = encoding === "buffer" ? toBytes(reply) : toText(reply);
  const subject = { method: "RuntimeService/ExecSync", program: command[0] ?? "", endpoint: connection.endpoint };
  checkStarted(reply.exitCode, shortOutputOf(reply), subject);
  if (throwOnNonZero) requireZero(result, "RuntimeService/ExecSync", connection.endpoint);
  return result;
}

/**
 * Returns the time limit for the runtime, in whole seconds; 0 for no limit. A deadline also sets a limit, because CRI-O does not
 * notice the end of a call and kills a command only at its limit. This limit is later than the deadline, so that the call fails
 * at the deadline.
 */
function wireSecondsOf(limitSeconds: number, deadline: Date | undefined): number {
  const leftMs = deadline ? deadline.getTime() - Date.now() : Number.POSITIVE_INFINITY;
  const seconds = Math.min(limitSeconds || Number.POSITIVE_INFINITY, Math.max(1, Math.ceil(leftMs / 1_000) + 1));
  return seconds > maxLimitSeconds ? 0 : seconds;
}

function shortOutputOf({ stdout, stderr }: ExecSyncResponse): string | undefined {
  return stdout.length + stderr.length > maxMessageBytes ? undefined : Buffer.concat([stdout, stderr]).toString();
}

function toText({ exitCode, stdout, stderr }: ExecSyncResponse): ExecResult {
  const decoder = new TextDecoder();
  return { exitCode, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

// Copies the bytes, so that a short output does not keep the whole network buffer in memory.
function toBytes({ exitCode, stdout, stderr }: ExecSyncResponse): ExecResult<Uint8Array> {
  return { exitCode, stdout: Uint8Array.from(stdout), stderr: Uint8Array.from(stderr) };
}

function timedOut(connection: Connection, seconds: number, end: "killed" | "runsOn", cause?: CriError): CriError {
  const remedy = "runs on, because Docker does not kill it; exec() with commandTimeoutSeconds does";
  return new CriError({
    code: "COMMAND_TIMED_OUT",
    message: `the command did not end within ${seconds} s and ${end === "killed" ? "was killed by the runtime" : remedy}`,
    method: "RuntimeService/ExecSync",
    endpoint: connection.endpoint,
    attempts: 1,
    mayHaveTakenEffect: true,
    cause,
  });
}
