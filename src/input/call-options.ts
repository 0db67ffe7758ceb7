import { InvalidInputError } from "../errors.js";
import { isAbortSignal } from "../internal/abort.js";
import { fieldPath } from "../internal/field-names.js";
import { type FieldsOf, isRecord, unknownField } from "../internal/record.js";
import type { CallOptions, RetryPolicy } from "../options.js";
import { refuse, typeName } from "./check.js";

export type { FieldsOf } from "../internal/record.js";

/** The fields of {@link CallOptions}, for the fields of every type that extends them. */
export const callOptionFields: FieldsOf<CallOptions> = {
  timeoutMs: true,
  signal: true,
  deadline: true,
  retry: true,
  metadata: true,
};

const retryPolicyFields: FieldsOf<RetryPolicy> = { maxAttempts: true, initialBackoffMs: true, maxBackoffMs: true };

/**
 * Checks that options are an object without unknown fields, or `undefined`. Every public method with options calls this first,
 * because a rest pattern (`const { tty, ...rest } = options`) turns a number or a string into an object. The error never shows a
 * value, which may be a secret in the wrong place.
 *
 * @param path the path of nested options, such as `watch`, for error messages
 * @throws InvalidInputError
 */
export function checkOptions<T extends object>(options: T | undefined, fields: NoInfer<FieldsOf<T>>, path = ""): void {
  if (options === undefined || (isPlain(options) && hasOnly(options, fields))) return;
  if (!isRecord(options)) {
    const [example] = Object.keys(fields);
    refuse(path || "options", `must be an object such as { ${example}: … }, got ${typeName(options)}`);
  }
  const unknown = unknownField(options, fields, "option");
  if (unknown) refuse(fieldPath(path, unknown.key), unknown.message);
}

/**
 * Returns whether a value is an ordinary object. Takes much less time than {@link isRecord}, and this check is part of every call.
 */
function isPlain(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Returns whether all keys are fields. Allocates nothing. */
function hasOnly(value: object, fields: Readonly<Record<string, true | "internal">>): boolean {
  for (const key in value) if (fields[key] !== true && fields[key] !== "internal") return false;
  return true;
}

/**
 * Checks the names, types and values of options that are only {@link CallOptions}.
 *
 * @throws InvalidInputError that names the option
 */
export function checkOnlyCallOptions(options: CallOptions | undefined): void {
  if (options === undefined) return;
  checkOptions(options, callOptionFields);
  checkCallOptions(options);
}

/**
 * Checks the type and value of call options, and ignores other fields. Every call and every workflow calls this before any I/O, and
 * so do the raw stubs.
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
  if (retry !== undefined && retry !== false) checkRetryPolicy(retry, `${prefix}retry`);
}

function checkRetryPolicy(policy: RetryPolicy, field: string): void {
  if (!isRecord(policy as unknown)) {
    refuse(field, `must be a retry policy, or false for none, got ${typeName(policy)}`);
  }
  checkOptions(policy, retryPolicyFields, field);
  const { maxAttempts, initialBackoffMs, maxBackoffMs } = policy;
  if (maxAttempts !== undefined && !(maxAttempts >= 1)) {
    throw new InvalidInputError({ field: `${field}.maxAttempts`, message: "must be 1 or more", value: maxAttempts });
  }
  for (const [name, value] of Object.entries({ initialBackoffMs, maxBackoffMs })) {
    if (value !== undefined && !(value >= 0)) {
      throw new InvalidInputError({ field: `${field}.${name}`, message: "must be a number of milliseconds", value });
    }
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
