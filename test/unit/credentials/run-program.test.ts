import type childProcess from "node:child_process";
import { EventEmitter } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { type Program, ProgramFailure, runProgram } from "../../../src/credentials/run-program.js";

vi.mock("node:child_process", async (importOriginal) => {
  const original = await importOriginal<typeof childProcess>();
  return { ...original, spawn: vi.fn(original.spawn) };
});
const spawn = vi.mocked((await import("node:child_process")).spawn);
afterEach(() => vi.restoreAllMocks());

const sh = (script: string, changes: Partial<Program> = {}): Program => ({
  file: "/bin/sh",
  args: ["-c", script],
  env: { PATH: "/usr/bin:/bin" },
  input: "",
  timeoutMs: 30_000,
  ...changes,
});

const failureOf = (program: Program) => runProgram(program).catch((error: unknown) => error);

test("a program that leaves a process with its pipes open has a result nevertheless", async () => {
  const result = await runProgram(sh("sleep 20 & echo $!"));
  process.kill(Number(result.stdout), "SIGKILL");
  expect(result).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a program that cannot start without file descriptors fails, and nothing else does", async () => {
  const child = Object.assign(new EventEmitter(), { pid: undefined, stdin: undefined, stdout: undefined });
  spawn.mockImplementationOnce(() => {
    process.nextTick(() => child.emit("error", Object.assign(new Error("spawn"), { code: "EMFILE" })));
    return child as never;
  });
  expect(await failureOf(sh(""))).toEqual(new ProgramFailure("cannot be run: EMFILE"));
});

test("a variable that no program can have is refused without its value", async () => {
  expect(await failureOf(sh("", { env: { TOKEN: "hunter2\0" } }))).toEqual(
    new ProgramFailure("cannot be run: ERR_INVALID_ARG_VALUE"),
  );
  expect(await failureOf(sh("", { args: ["x".repeat(4_000_000)] }))).toEqual(
    new ProgramFailure("cannot be run: E2BIG"),
  );
});

test("the working directory is the root, and the one of this process does not have to exist", async () => {
  vi.spyOn(process, "cwd").mockImplementation(() => {
    throw new Error("ENOENT: uv_cwd");
  });
  expect((await runProgram(sh("pwd"))).stdout).toBe("/\n");
});
