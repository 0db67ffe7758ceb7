import { CriError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import type { ExecSyncResponse } from "../../proto.js";
import { pinDeadline } from "../../rpcs/budget.js";
import * as rpcs from "../../rpcs/containers.js";
import { commandAtLimit, isTimeoutReply } from "../../rpcs/error-messages/command-end.js";
import { maxMessageBytes } from "../../streaming/short-output.js";
import type { Connection } from "../../transport/connection.js";
import { checkCommand, checkCommandTimeout } from "./check-command.js";
import { checkEncoding, checkStarted, demandZero, type ExecResult } from "./exec-result.js";

/** Options of ExecSync. */
export interface ExecSyncOptions extends CallOptions {
  /**
   * How long the command may run before the runtime kills it, in seconds, rounded up to whole ones; the call then fails with
   * `COMMAND_TIMED_OUT`. Docker lets the command run on. The call's own budget follows: two minutes more than this. Unset or 0, the
   * command may run for ever and the call has no default budget.
   */
  commandTimeoutSeconds?: number | undefined;
  /** What the output is given as. @defaultValue "utf8" */
  encoding?: "utf8" | "buffer" | undefined;
  /** Throw an `ExecError` when the exit code is not 0. @defaultValue false */
  throwOnNonZero?: boolean | undefined;
}

/** Runtimes compute with nanoseconds of 64 bits or with seconds of 32. */
const maxLimitSeconds = 2 ** 31 - 1;

/** ExecSync with one meaning on every runtime. */
export async function execSync(
  connection: Connection,
  id: string,
  command: readonly string[],
  options: ExecSyncOptions = {},
): Promise<ExecResult | ExecResult<Uint8Array>> {
  const { commandTimeoutSeconds = 0, encoding = "utf8", throwOnNonZero = false, ...callOptions } = options;
  checkCommand(command);
  checkCommandTimeout(commandTimeoutSeconds);
  checkEncoding(encoding);
  // Whole seconds on the wire, where 0 means no limit at all: half a second must become one.
  const limitSeconds = Math.ceil(commandTimeoutSeconds);
  const pinned = pinDeadline(callOptions);
  const wireSeconds = wireSecondsOf(limitSeconds, pinned.deadline);
  const reply = await rpcs.execSync(connection, id, [...command], wireSeconds, pinned).catch((error: unknown) => {
    // Docker uses the same words when the deadline of the call has passed.
    const callIsDue = pinned.deadline !== undefined && pinned.deadline.getTime() <= Date.now();
    if (limitSeconds === 0 || callIsDue || !CriError.is(error, "DEADLINE_EXCEEDED")) throw error;
    const end = commandAtLimit(error.details);
    throw end ? timedOut(connection, limitSeconds, end, error) : error;
  });
  if (limitSeconds > 0 && isTimeoutReply(reply)) throw timedOut(connection, limitSeconds, "killed");
  const result = encoding === "buffer" ? toBytes(reply) : toText(reply);
  const subject = { method: "RuntimeService/ExecSync", program: command[0] ?? "", endpoint: connection.endpoint };
  checkStarted(reply.exitCode, shortOutputOf(reply), subject);
  if (throwOnNonZero) demandZero(result, "RuntimeService/ExecSync", connection.endpoint);
  return result;
}

/**
 * The time limit that the runtime gets, in whole seconds; 0 for none. A deadline is one too: CRI-O does not notice the end of a call,
 * and kills a command only at its limit. That is later than the deadline, so that the call fails by the deadline.
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

// Copies: a few bytes of output must not keep the whole network buffer alive.
function toBytes({ exitCode, stdout, stderr }: ExecSyncResponse): ExecResult<Uint8Array> {
  return { exitCode, stdout: Uint8Array.from(stdout), stderr: Uint8Array.from(stderr) };
}

function timedOut(connection: Connection, seconds: number, end: "killed" | "runsOn", cause?: CriError): CriError {
  const remedy = "runs on, since Docker does not kill it; exec() with commandTimeoutSeconds does";
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
