import { expect, test } from "vitest";
import { RollbackStack } from "../../../src/internal/rollback-stack.js";

test("runs the steps in reverse order, once, and continues after a failure", async () => {
  const done: number[] = [];
  const stack = new RollbackStack();
  stack.push(async () => done.push(1));
  stack.push(async () => {
    throw new Error("two");
  });
  stack.push(async () => done.push(3));
  const failures = await stack.run();
  expect(done).toEqual([3, 1]);
  expect(failures.map(String)).toEqual(["Error: two"]);
  expect(await stack.run()).toEqual([]);
});
