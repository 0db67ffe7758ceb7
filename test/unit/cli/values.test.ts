import { InvalidArgumentError } from "commander";
import { expect, test } from "vitest";
import { count, duration, labels } from "../../../src/cli/values.js";

test.each([
  ["10", 10_000],
  ["0", 0],
  ["0.5", 500],
  ["500ms", 500],
  ["10s", 10_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
])("the duration %s has %d ms", (text, milliseconds) => expect(duration(text)).toBe(milliseconds));

test.each(["", "soon", "-1s", "-5", "10 s", "5d", "Infinity"])("refuses the duration %j", (text) => {
  expect(() => duration(text)).toThrow(InvalidArgumentError);
});

test("counts are whole numbers", () => {
  expect(count("12")).toBe(12);
  for (const text of ["", "-1", "1.5", "1e3", "9007199254740993"])
    expect(() => count(text)).toThrow(InvalidArgumentError);
});

test("labels are pairs, also of several options", () => {
  expect(labels("app=shop,tier=web")).toEqual({ app: "shop", tier: "web" });
  expect(labels("a==b", { app: "shop" })).toEqual({ app: "shop", a: "b" });
  expect(labels("empty=, x=1=2")).toEqual({ empty: "", x: "1=2" });
  for (const text of ["", "app", "=x", "a=b,,c=d", "a!=b,"]) expect(() => labels(text)).toThrow(InvalidArgumentError);
});
