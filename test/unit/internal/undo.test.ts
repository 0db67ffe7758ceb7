import { expect, test } from "vitest";
import { UndoStack } from "../../../src/internal/undo.js";

test("undoes in reverse order, once, and goes on past failures", async () => {
  const done: number[] = [];
  const stack = new UndoStack();
  stack.push(async () => done.push(1));
  stack.push(async () => {
    throw new Error("two");
  });
  stack.push(async () => done.push(3));
  const failures = await stack.undo();
  expect(done).toEqual([3, 1]);
  expect(failures.map(String)).toEqual(["Error: two"]);
  expect(await stack.undo()).toEqual([]);
});
