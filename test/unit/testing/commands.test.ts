import { expect, test } from "vitest";
import { planCommand } from "../../../src/testing/backend/commands.js";

test.each([
  [["true"], { exitCode: 0 }],
  [["/bin/false"], { exitCode: 1 }],
  [["echo", "a", "b"], { stdout: "a b\n" }],
  [["echo", "-n", "a"], { stdout: "a" }],
  [["sleep", "0.25"], { durationMs: 250 }],
  [["sleep", "2m"], { durationMs: 120_000 }],
  [["sleep", "infinity"], { durationMs: Infinity }],
  [["cat", "/etc/hostname"], { stdout: "box\n" }],
  [["sh", "-c", "exit 3"], { exitCode: 3 }],
  [
    ["/bin/sh", "-c", "echo out; echo 'e  r;r' >&2; sleep 1 && exit 9"],
    { exitCode: 9, stdout: "out\n", stderr: "e  r;r\n", durationMs: 1_000 },
  ],
  [["sh", "-c", "false && echo no; echo yes"], { exitCode: 0, stdout: "yes\n" }],
  [["sh", "-c", "false && echo no && echo no"], { exitCode: 1, stdout: "" }],
])("%j", (command, expected) => {
  expect(planCommand(command, "box")).toMatchObject(expected);
});

test.each([
  [["nginx"]],
  [[]],
  [["sleep"]],
  [["sleep", "x"]],
  [["sh"]],
  [["sh", "-c", "nginx; exit 1"]],
  [["sh", "-c", "echo $HOME"]],
  [["sh", "-c", "echo a > file"]],
  [["sh", "-c", "sleep 1 &"]],
  [["cat", "/etc/passwd"]],
])("has no plan for %j", (command) => {
  expect(planCommand(command, "box")).toBeUndefined();
});
