import type { RemoteStatus } from "./transport.js";

/** Longest status that is taken from a server. Those of the runtimes have a few hundred bytes. */
export const maxStatusBytes = 65_536;

/** Longest message taken over from a server. */
const maxMessageLength = 4_096;

/**
 * Reads the status that a server sends at the end of a remote command (protocols v4 and v5): a Kubernetes `Status` as JSON, of which
 * every runtime fills in a different part.
 *
 * The exit code is what a cause of reason `ExitCode` says. Text that is no status becomes the message of a failure: servers have
 * been seen to answer in plain words when something broke early.
 */
export function parseRemoteStatus(text: string): RemoteStatus {
  const status = parseObject(text);
  if (!status) return failed(text);
  if (status.status === "Success") return { kind: "exited", exitCode: 0 };
  const causes = causesOf(status);
  const exitCode = causes.map(exitCodeOf).find((code) => code !== undefined) ?? exitCodeInWords(status);
  if (exitCode !== undefined) return { kind: "exited", exitCode };
  const message = [status.message, ...causes.map((cause) => cause.message)].find(isText);
  return failed(message ?? text, isText(status.reason) ? status.reason : undefined);
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

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function causesOf(status: JsonObject): readonly JsonObject[] {
  const causes = asObject(status.details)?.causes;
  return Array.isArray(causes) ? causes.map(asObject).filter((cause) => cause !== undefined) : [];
}

function exitCodeOf(cause: JsonObject): number | undefined {
  if (cause.reason !== "ExitCode") return undefined;
  const { message } = cause;
  // Nothing else is turned into a string: that of an object can throw, and that of a list can be nested too deep.
  return typeof message === "string" || typeof message === "number" ? nonZero(String(message)) : undefined;
}

/** The code as the last word of the message: a status that lost its causes on the way still says that there was one. */
function exitCodeInWords(status: JsonObject): number | undefined {
  if (status.reason !== "NonZeroExitCode" || typeof status.message !== "string") return undefined;
  return nonZero(/(-?\d{1,10})\s*$/.exec(status.message)?.[1] ?? "");
}

/** A failure with exit code 0 contradicts itself and must not pass for success. */
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
