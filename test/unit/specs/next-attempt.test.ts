import { expect, it, test } from "vitest";
import { ContainerConfig } from "../../../src/proto.js";
import { nextAttempt } from "../../../src/specs/next-attempt.js";
import { refusal } from "./refusal.js";

const config = (attempt: number, logPath = "") =>
  ContainerConfig.create({ metadata: { name: "web", attempt }, logPath, args: ["x"] });

test.each([
  [0, "web.0.log", "web.1.log"],
  [9, "web.9.log", "web.10.log"],
  [3, "web/3.log", "web/4.log"],
  [0, "0.log", "1.log"],
  [0, "web.log", "web.log"],
  [0, "", ""],
  [1, "web.11.log", "web.11.log"],
  [1, "web.1.log.txt", "web.1.log.txt"],
  [2, "web.1.log", "web.1.log"],
])("attempt %s with log %s is followed by %s", (attempt, logPath, expected) => {
  const next = nextAttempt(config(attempt, logPath));
  expect(next.metadata).toEqual({ name: "web", attempt: attempt + 1 });
  expect(next.logPath).toBe(expected);
});

it("does not change the old config", () => {
  const old = config(0, "web.0.log");
  const next = nextAttempt(old);
  next.args.push("changed");
  expect(old).toEqual(config(0, "web.0.log"));
});

it("refuses the largest attempt", () => {
  expect(refusal(() => nextAttempt(config(0xffff_ffff)))).toMatch(
    /^config.metadata.attempt: must be less than 4294967295/,
  );
});
