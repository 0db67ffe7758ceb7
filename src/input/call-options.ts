import { InvalidInputError } from "../errors.js";
import { isAbortSignal } from "../internal/abort.js";
import type { CallOptions } from "../options.js";

/**
 * Checks the type and value of call options. Every call and every workflow calls this before any I/O, and so do the raw stubs.
 *
 * @param prefix the prefix of the option's name in the error
 * @throws InvalidInputError that names the option
 */
export function checkCallOptions(
  { signal, timeoutMs, deadline, retry }: Omit<CallOptions, "metadata">,
  prefix: "" | "defaults." = "",
): void {
  checkSignal(signal, `${prefix}signal`);
  checkTimeout(timeoutMs, `${prefix}timeoutMs`);
  if (deadline !== undefined && !(deadline instanceof Date && !Number.isNaN(deadline.getTime()))) {
    throw new InvalidInputError({ field: `${prefix}deadline`, message: "must be a valid Date", value: deadline });
  }
  if (retry !== undefined && retry !== false && (typeof retry !== "object" || retry === null)) {
    const message = "must be a retry policy, or false for none";
    throw new InvalidInputError({ field: `${prefix}retry`, message, value: retry });
  }
}

/** Checks a signal. @throws InvalidInputError */
export function checkSignal(signal: AbortSignal | undefined, field: string): void {
  if (signal === undefined || isAbortSignal(signal)) return;
  throw new InvalidInputError({ field, message: "must be an AbortSignal", value: signal });
}

/** Checks a time limit in milliseconds. @throws InvalidInputError */
export function checkTimeout(timeoutMs: number | undefined, field: string): void {
  if (timeoutMs === undefined) return;
  if (typeof timeoutMs === "number" && timeoutMs >= 0 && timeoutMs < Number.POSITIVE_INFINITY) return;
  throw new InvalidInputError({ field, message: "must be a number of milliseconds, 0 for no limit", value: timeoutMs });
}
