import { expect, test } from "vitest";
import { forEachSettled } from "../../../src/internal/for-each.js";

test("runs all tasks, at most the given number at a time", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachSettled([1, 2, 3, 4, 5], 2, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    seen.push(item);
  });
  expect(most).toBe(2);
  expect(seen).toEqual([1, 2, 3, 4, 5]);
});

test("continues after a failed task, and returns the errors", async () => {
  const failures = await forEachSettled([1, 2, 3], 1, async (item) => {
    if (item < 3) throw new Error(`item ${item}`);
  });
  expect(failures).toEqual([new Error("item 1"), new Error("item 2")]);
});

test("resolves at once without items", async () => {
  expect(await forEachSettled([], 4, () => Promise.reject(new Error("never called")))).toEqual([]);
});
