/** Runs each example as a separate program on a real runtime. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CompiledExamples, compileExamples, examples } from "../support/compiled-examples.js";
import { type Fixture, journeys } from "./helpers/journeys.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

journeys("examples", define, { newestOnly: true });

function define({ runtime, traits }: Fixture): void {
  let compiled: CompiledExamples;
  beforeAll(async () => {
    compiled = await compileExamples();
  });
  afterAll(() => compiled[Symbol.asyncDispose]());

  async function run(command: string, args: string[], input?: string) {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint, CRI_IMAGE: runtime.image, NO_COLOR: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    if (input !== undefined) child.stdin.end(input);
    const [[code], stdout, stderr] = await Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]);
    return { code, stdout, stderr };
  }

  const example = (file: string, input?: string) => run(process.execPath, [compiled.program(file)], input);

  /** Examples with a test of their own, because they need input or do not exit with 0 on every runtime. */
  const ownTests = ["exec-interactive.ts", "logs-follow.ts"];

  test("logs-follow.ts rotates a log where the runtime can reopen it", async () => {
    const { code, stderr } = await example("logs-follow.ts");
    if (traits.logFormat === "cri") expect([code, stderr]).toEqual([0, ""]);
    else expect([code, stderr]).toEqual([1, expect.stringContaining("UNIMPLEMENTED")]);
  });

  test.each(examples.filter((name) => !ownTests.includes(name)))("%s", async (file) => {
    expect(await example(file)).toMatchObject({ code: 0, stderr: "" });
  });

  test("exec-interactive.ts works without a terminal", async () => {
    const { code, stdout } = await example("exec-interactive.ts", "echo $((6 * 7)); exit 3\n");
    expect(code).toBe(0);
    expect(stdout).toContain("42");
    expect(stdout).toContain("exited with code 3");
  });

  test("exec-interactive.ts restores the settings of the terminal", async () => {
    const line = `${process.execPath} ${compiled.program("exec-interactive.ts")}`;
    const script = `stty rows 43 cols 132; ${line}; stty -a`;
    const { code, stdout } = await run(
      "script",
      ["-qec", script, "/dev/null"],
      "until stty size | grep '43 132'; do sleep 0.1; done; exit 5\n",
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/43 132\r/);
    expect(stdout).toContain("exited with code 5");
    expect(stdout).toMatch(/ icanon .* echo /s);
  });
}
