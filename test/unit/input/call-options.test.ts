import { expect, test } from "vitest";
import { type CallOptions, InvalidInputError } from "../../../src/index.js";
import {
  callOptionFields,
  checkOnlyCallOptions,
  checkOptions,
  type FieldsOf,
} from "../../../src/input/call-options.js";

interface StopOptions extends CallOptions {
  gracePeriodSeconds?: number | undefined;
  graceClock?: unknown;
}
const fields: FieldsOf<StopOptions> = { gracePeriodSeconds: true, graceClock: "internal", ...callOptionFields };

function refusal(options: unknown, path?: string): InvalidInputError {
  try {
    checkOptions(options as StopOptions, fields, path);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInputError);
    return error as InvalidInputError;
  }
  throw new Error("expected a refusal");
}

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["no options", {}],
  ["internal options", { graceClock: 1 }],
  ["known options", { timeoutMs: 1, gracePeriodSeconds: undefined }],
  ["an object without a prototype", Object.assign(Object.create(null), { retry: false })],
  [
    "an instance of a class",
    new (class Defaults {
      timeoutMs = 1;
    })(),
  ],
  ["keys that are symbols, which middleware may use", { [Symbol("trace")]: 1 }],
])("accepts %s", (_, options) => {
  expect(() => checkOptions(options as StopOptions, fields)).not.toThrow();
});

test.each([
  ["timeout", "timeout: unknown option; did you mean timeoutMs?"],
  ["TIMEOUTMS", "TIMEOUTMS: unknown option; did you mean timeoutMs?"],
  ["graceClok", /^graceClok: unknown option; known are gracePeriodSeconds, timeoutMs,/],
  ["keepOld", "keepOld: unknown option; known are gracePeriodSeconds, timeoutMs, signal, deadline, retry, metadata"],
  ["toString", /^toString: unknown option; known are /],
  ["x-y", /^\["x-y"\]: unknown option; known are /],
])("refuses %s, and suggests the right option", (key, message) => {
  const error = refusal({ timeoutMs: 1, [key]: "s3cr3t" });
  expect(error.details).toMatch(message);
  expect(error.message).not.toContain("s3cr3t");
});

test("refuses a key that would set a prototype", () => {
  expect(refusal(JSON.parse('{"__proto__": {"timeoutMs": 1}}')).field).toBe("__proto__");
});

test.each<[unknown, string]>([
  [null, "null"],
  [10, "a number"],
  ["10", "a string"],
  [true, "a boolean"],
  [[{ timeoutMs: 1 }], "an array"],
  [new Map([["timeoutMs", 1]]), "a Map"],
  [() => {}, "a function"],
])("refuses %s as options", (options, type) => {
  expect(refusal(options)).toMatchObject({
    field: "options",
    details: `options: must be an object such as { gracePeriodSeconds: … }, got ${type}`,
  });
});

test("names nested options by their path", () => {
  expect(refusal({ timeoutMS: 1 }, "defaults").details).toBe(
    "defaults.timeoutMS: unknown option; did you mean timeoutMs?",
  );
  expect(refusal(5, "defaults").field).toBe("defaults");
});

test.each([
  [{ retry: { maxAttempt: 3 } }, "retry.maxAttempt: unknown option; did you mean maxAttempts?"],
  [{ retry: [3] }, "retry: must be a retry policy, or false for none, got an array"],
  [{ retry: { maxAttempts: 0 } }, "retry.maxAttempts: must be 1 or more, got 0"],
  [{ retry: { maxBackoffMs: -1 } }, "retry.maxBackoffMs: must be a number of milliseconds, got -1"],
])("refuses the retry policy of %j", (options, message) => {
  expect(() => checkOnlyCallOptions(options as CallOptions)).toThrow(message);
});
