import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readTerminationMessage } from "../../../../src/kubernetes/running/termination-message.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cri-termination-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(content: string): Promise<string> {
  const path = join(folder, `${Math.random()}`);
  await writeFile(path, content);
  return path;
}

const noLog = () => Promise.reject(new Error("the log must not be read"));

test("is the content of the file", async () => {
  const path = await file("finished early");
  expect(await readTerminationMessage({ path, policy: "File", exitCode: 1 }, noLog)).toBe("finished early");
});

test("is the last 4096 bytes of a long file, without reading the rest", async () => {
  const path = await file("");
  await truncate(path, 2 ** 40);
  await writeFile(path, `${"a".repeat(5000)}${"b".repeat(4000)}`);
  const message = await readTerminationMessage({ path, policy: "File", exitCode: 1 }, noLog);
  expect(message).toBe(`${"a".repeat(96)}${"b".repeat(4000)}`);
});

test("is empty if the file is missing or the container has none", async () => {
  for (const path of [undefined, join(folder, "missing")]) {
    expect(await readTerminationMessage({ path, policy: "File", exitCode: 1 }, noLog)).toBe("");
  }
});

test("is the end of the log if the file is empty, the container failed and the policy says so", async () => {
  const path = await file("");
  const asked: number[] = [];
  const readLog = async (lines: number) => {
    asked.push(lines);
    return `${"x".repeat(3000)}end`;
  };
  const message = await readTerminationMessage({ path, policy: "FallbackToLogsOnError", exitCode: 2 }, readLog);
  expect(message).toBe(`${"x".repeat(2045)}end`);
  expect(asked).toEqual([80]);
});

test.each([
  ["the container succeeded", "FallbackToLogsOnError", 0, ""],
  ["the policy is File", "File", 1, ""],
  ["the file has a message", "FallbackToLogsOnError", 1, "why"],
])("does not come from the log if %s", async (_, policy, exitCode, content) => {
  expect(await readTerminationMessage({ path: await file(content), policy, exitCode }, noLog)).toBe(content);
});
