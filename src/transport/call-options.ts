import { InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";

/**
 * Refuses call options of a wrong type or value, before any I/O. Every call and every workflow passes here, the raw stubs too.
 *
 * @throws InvalidInputError that names the option
 */
export function checkCallOptions({ signal, timeoutMs, deadline, retry }: Omit<CallOptions, "metadata">): void {
  checkSignal(signal);
  checkTimeout(timeoutMs, "timeoutMs");
  if (deadline !== undefined && !(deadline instanceof Date && !Number.isNaN(deadline.getTime()))) {
    throw new InvalidInputError({ field: "deadline", message: "must be a valid Date", value: deadline });
  }
  if (retry !== undefined && retry !== false && (typeof retry !== "object" || retry === null)) {
    throw new InvalidInputError({ field: "retry", message: "must be a retry policy, or false for none", value: retry });
  }
}

/** Refuses values that are not an AbortSignal. Signals from another realm or a polyfill are accepted. @throws InvalidInputError */
function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || (isObject(signal) && "aborted" in signal && "addEventListener" in signal)) return;
  throw new InvalidInputError({ field: "signal", message: "must be an AbortSignal", value: signal });
}

/** Refuses a time limit that is none. @throws InvalidInputError */
export function checkTimeout(timeoutMs: number | undefined, field: string): void {
  if (timeoutMs === undefined) return;
  if (typeof timeoutMs === "number" && timeoutMs >= 0 && timeoutMs < Number.POSITIVE_INFINITY) return;
  throw new InvalidInputError({ field, message: "must be a number of milliseconds, 0 for no limit", value: timeoutMs });
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
