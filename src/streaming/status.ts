import type { RemoteStatus } from "./transport.js";

/** Limit on a status, in bytes. The runtimes send a few hundred. */
export const maxStatusBytes = 65_536;

/** Limit on the message of a failed status, in characters; longer ones are cut. */
const maxMessageLength = 4_096;

/**
 * Parses the status that a server sends at the end of a remote command (protocols v4 and v5): a Kubernetes `Status` as JSON. Every
 * runtime fills in different fields.
 *
 * The exit code is the message of the cause with reason `ExitCode`. A string that is no status becomes the message of a failure:
 * after an early failure, servers send plain text.
 */
export function parseRemoteStatus(text: string): RemoteStatus {
  const status = parseObject(text);
  if (!status) return failed(text);
  if (status.status === "Success") return { kind: "exited", exitCode: 0 };
  const causes = causesOf(status);
  const exitCode = causes.map(exitCodeOf).find((code) => code !== undefined) ?? exitCodeInMessage(status);
  if (exitCode !== undefined) return { kind: "exited", exitCode };
  const message = [status.message, ...causes.map((cause) => cause.message)].find(isNonEmptyString);
  return failed(message ?? text, isNonEmptyString(status.reason) ? status.reason : undefined);
}

type JsonObject = Readonly<Record<string, unknown>>;

function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

function isNonEmptyString(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function causesOf(status: JsonObject): readonly JsonObject[] {
  const causes = asObject(status.details)?.causes;
  return Array.isArray(causes) ? causes.map(asObject).filter((cause) => cause !== undefined) : [];
}

function exitCodeOf(cause: JsonObject): number | undefined {
  if (cause.reason !== "ExitCode") return undefined;
  const { message } = cause;
  // Other types are not converted: an object's toString can throw, and an array can be nested too deeply.
  return typeof message === "string" || typeof message === "number" ? nonZero(String(message)) : undefined;
}

/** Reads the exit code at the end of the message, for a status without causes. */
function exitCodeInMessage(status: JsonObject): number | undefined {
  if (status.reason !== "NonZeroExitCode" || typeof status.message !== "string") return undefined;
  return nonZero(/(-?\d{1,10})\s*$/.exec(status.message)?.[1] ?? "");
}

/** Rejects exit code 0: a failure must not be reported as success. */
function nonZero(text: string): number | undefined {
  return /^\s*-?\d{1,10}\s*$/.test(text) && Number(text) !== 0 ? Number(text) : undefined;
}

function failed(message: string, reason = "Unknown"): RemoteStatus {
  const text = message.trim() || "the server sent an empty status";
  return {
    kind: "failed",
    message: text.length > maxMessageLength ? `${text.slice(0, maxMessageLength - 1)}…` : text,
    reason: reason.slice(0, 64),
  };
}
