/**
 * The logs that the fake writes, read by this package.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ContainerConfig } from "../../src/proto.js";
import type { ContainerScript, Program } from "../../src/testing/index.js";
import { skipOnWindows } from "../support/platform.js";
import { startFake } from "./support.js";

async function podWithLogs(run: () => ContainerScript) {
  const logDirectory = await mkdtemp(join(tmpdir(), "fake-logs-"));
  onTestFinished(() => rm(logDirectory, { recursive: true }));
  const { cri, runtime } = await startFake({ run });
  const pod = await cri.pods.run({ name: "p", logDirectory });
  const start = (logPath: string) =>
    cri.runContainerInSandbox(pod, { name: `c${logPath.length}`, image: "busybox:1", logPath });
  return { cri, runtime, pod, start, logDirectory };
}

test("writes a container's output to its log, which outlives the container", async () => {
  const { start, logDirectory } = await podWithLogs(() => ({
    stdout: "one\ntwo\n",
    stderr: "oh",
    exitCode: 0,
    afterMs: 5,
  }));
  const container = await start("main/0.log");
  await container.wait();
  const lines = [];
  for await (const { stream, text } of container.logs()) lines.push(`${stream}: ${text}`);
  expect(lines.sort()).toEqual(["stderr: oh", "stdout: one", "stdout: two"]);
  await container.remove();
  const written = await readFile(join(logDirectory, "main/0.log"), "utf8");
  expect(written).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F one$/m);
  expect(written).toMatch(/ stderr P oh$/m);
});

test("writes an empty log for a container that does not start", async () => {
  const { start, logDirectory } = await podWithLogs(() => ({ startError: "no such program" }));
  await expect(start("main/0.log")).rejects.toThrow("no such program");
  expect(await readFile(join(logDirectory, "main/0.log"), "utf8")).toBe("");
});

test.skipIf(skipOnWindows("named pipes in the file system"))(
  "a container whose log is a named pipe runs without a log",
  async () => {
    const { start, logDirectory } = await podWithLogs(() => ({ stdout: "one\n", exitCode: 0, afterMs: 5 }));
    await mkdir(join(logDirectory, "main"));
    execFileSync("mkfifo", [join(logDirectory, "main/0.log")]);
    const container = await start("main/0.log");
    expect((await container.wait()).exitCode).toBe(0);
  },
);

test("writes long lines in parts", async () => {
  const long = "x".repeat(40_000);
  const { start, logDirectory } = await podWithLogs(() => ({ stdout: `${long}\n`, exitCode: 0 }));
  const container = await start("0.log");
  await container.wait();
  const written = (await readFile(join(logDirectory, "0.log"), "utf8")).trimEnd().split("\n");
  expect(written.map((line) => [line.split(" ")[2], line.length - 40])).toEqual([
    ["P", 16_384],
    ["P", 16_384],
    ["F", 40_000 - 2 * 16_384],
  ]);
  const texts = [];
  for await (const { text } of container.logs()) texts.push(text);
  expect(texts).toEqual([long]);
});

test("a log can be followed across a rotation to the end of its container", async () => {
  let writeLine = (_: string) => {};
  const program: Program = (io) => {
    writeLine = (line) => io.stdout.write(`${line}\n`);
    return new Promise<number>(() => {});
  };
  const { start, logDirectory } = await podWithLogs(() => ({ program }));
  const container = await start("0.log");
  const texts: string[] = [];
  const reading = (async () => {
    for await (const { text } of container.logs({ follow: true })) texts.push(text);
  })();
  writeLine("before");
  await expect.poll(() => texts).toEqual(["before"]);
  await container.rotateLog();
  writeLine("after");
  await expect.poll(() => texts).toEqual(["before", "after"]);
  expect(await readdir(logDirectory)).toHaveLength(2);
  await container.stop();
  await reading;
});

test.skipIf(skipOnWindows("symbolic links below a log directory"))(
  "writes nothing outside the log directory",
  async () => {
    const { cri, start, logDirectory } = await podWithLogs(() => ({ stdout: "x\n", exitCode: 0 }));
    const outside = await mkdtemp(join(tmpdir(), "outside-"));
    onTestFinished(() => rm(outside, { recursive: true }));
    await symlink(outside, join(logDirectory, "link"));
    await (await start("link/0.log")).wait();
    await (await start("link/deep/0.log")).wait();
    expect(await readdir(outside)).toEqual([]);
    expect(await readdir(logDirectory)).toEqual(["link"]);

    const absent = join(logDirectory, "absent");
    const pod = await cri.pods.run({ name: "q", logDirectory: absent });
    const patch = (config: ContainerConfig) => {
      config.logPath = "../escaped.log";
    };
    await (await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" })).wait();
    expect(await readdir(logDirectory)).toEqual(["link"]);
    await mkdir(absent);
    await (await cri.runContainerInSandbox(pod, { name: "d", image: "busybox:1", patch })).wait();
    expect(await readdir(logDirectory)).toEqual(["absent", "link"]);
  },
);

test("CRI-O logs without a log directory of the pod, and without a path of the container", async () => {
  const logDirectory = await mkdtemp(join(tmpdir(), "fake-logs-"));
  onTestFinished(() => rm(logDirectory, { recursive: true }));
  const { cri } = await startFake({ flavor: "cri-o", logDirectory, run: () => ({ stdout: "said\n", exitCode: 0 }) });
  const pod = await cri.pods.run({ name: "p" });
  for (const logPath of [undefined, "own.log"]) {
    const container = await pod.runContainer({ name: `c${logPath}`, image: "busybox:1", logPath });
    await container.wait();
    const file = logPath ?? `${container.id}.log`;
    expect((await container.status()).logPath).toBe(posix.join(logDirectory, pod.id, file));
    const lines = [];
    for await (const { text } of container.logs()) lines.push(text);
    expect(lines).toEqual(["said"]);
  }
});

test("without logDirectory, CRI-O reports its own directory and writes nothing", async () => {
  const { cri } = await startFake({ flavor: "cri-o" });
  const pod = await cri.pods.run({ name: "p" });
  const container = await pod.runContainer({ name: "c", image: "busybox:1" });
  const { logPath } = await container.status();
  expect(logPath).toBe(`/var/log/crio/pods/${pod.id}/${container.id}.log`);
  expect(existsSync(logPath)).toBe(false);
});
