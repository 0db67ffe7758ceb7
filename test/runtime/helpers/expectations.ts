/**
 * Assertions that several files of journeys use.
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import { CriError } from "k8s-cri-client";
import { expect } from "vitest";

/** Returns what a promise rejects with. Fails the test if the promise resolves. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  expect.fail(`expected a rejection, got ${JSON.stringify(value)}`);
}

/** Returns the {@link CriError} that a promise rejects with. Fails the test otherwise. */
export async function criFailureOf(promise: Promise<unknown>): Promise<CriError> {
  const failure = await failureOf(promise);
  if (!CriError.is(failure)) expect.fail(`expected a CriError, got ${String(failure)}`);
  return failure;
}

/** Expects that a promise rejects with a {@link CriError} with this code, and returns the error. */
export async function expectCode(promise: Promise<unknown>, code: CriError["code"]): Promise<CriError> {
  const failure = await criFailureOf(promise);
  expect(failure.code, failure.message).toBe(code);
  return failure;
}

/** Returns all items of a stream. */
export async function allOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Polls `probe` every 50 ms until `accept` returns true, and returns the accepted value. Fails the test after `timeoutMs`. */
export async function eventually<T>(
  probe: () => Promise<T> | T,
  accept: (value: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (accept(value)) return value;
    if (Date.now() > deadline) expect.fail(`timed out after ${timeoutMs} ms; last value: ${JSON.stringify(value)}`);
    await sleep(50);
  }
}

/** Calls `work` with each item, at most `size` of them at a time. Throws the first failure after all calls have settled. */
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
