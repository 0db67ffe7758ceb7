/**
 * Small things for saying what is expected.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CriError } from "k8s-cri-client";
import { expect } from "vitest";

/** What a promise rejects with; a promise that resolves is a failed test. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  expect.fail(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** The {@link CriError} that a promise rejects with. */
export async function criFailureOf(promise: Promise<unknown>): Promise<CriError> {
  const failure = await failureOf(promise);
  if (!CriError.is(failure)) expect.fail(`expected a CriError, got ${String(failure)}`);
  return failure;
}

/** Whether an error of this package has one of these codes; for `expect(…).rejects.toSatisfy(…)` and the like. */
export async function expectCode(promise: Promise<unknown>, code: CriError["code"]): Promise<CriError> {
  const failure = await criFailureOf(promise);
  expect(failure.code, failure.message).toBe(code);
  return failure;
}

/** Waits until something is so. Generous: it bounds a hang, not a duration. */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  accept: (value: T) => boolean,
  ms = 20_000,
): Promise<T> {
  const giveUpAt = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (accept(value)) return value;
    if (Date.now() > giveUpAt) expect.fail(`not so within ${ms} ms; the last value was ${JSON.stringify(value)}`);
    await sleep(50);
  }
}

/** Calls with each item, a few of them at a time. */
export async function inBatches<T>(items: readonly T[], size: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const failures: unknown[] = [];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: size }, worker));
  if (failures.length > 0) throw failures[0];
}
