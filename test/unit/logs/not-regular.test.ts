/** Other users may be able to write to a log directory. The reader reads only regular files in it, and no other file blocks it. */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { promisify } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LogGap } from "../../../src/logs/log-gap.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";
import { skipOnWindows } from "../../support/platform.js";
import { criLine, openBelow, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

const pipe = (name: string) => {
  execFileSync("mkfifo", [folder.file(name)]);
  return folder.file(name);
};

async function textsOf(path: string, options: ReadLogOptions = {}): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of readLogFile(path, { ...options, encoding: "utf8" })) texts.push(text);
  return texts;
}

describe.skipIf(skipOnWindows("named pipes, sockets and devices in the file system"))("a log that is", () => {
  const make: Record<string, (path: string) => unknown> = {
    "a named pipe": (path) => execFileSync("mkfifo", [path]),
    "a device": (path) => symlinkSync("/dev/zero", path),
    "a directory": (path) => mkdirSync(path),
    "a socket": (path) => {
      const server = createServer().listen(path);
      onTestFinished(() => void server.close());
    },
  };

  test.each(Object.keys(make))("%s is refused with all options", async (kind) => {
    const path = folder.file("0.log");
    make[kind]?.(path);
    for (const options of [{}, { follow: true }, { tailLines: 1 }, { rotated: true }, { waitForFile: true }]) {
      await expect(textsOf(path, options)).rejects.toMatchObject({
        code: "FAILED_PRECONDITION",
        details: `cannot read the log file ${path}: it is ${kind}, not a regular file`,
      });
    }
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("replaced by a named pipe ends following, after its lines were read", async () => {
    const path = folder.file("0.log", criLine(0));
    const found: string[] = [];
    const follow = async () => {
      for await (const { text } of readLogFile(path, { follow: true, pollIntervalMs: 20 })) {
        found.push(text);
        renameSync(pipe("new"), path);
      }
    };
    await expect(follow()).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    expect(found).toEqual(["line 0"]);
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("a link to a regular file is read, and followed when the link changes", async () => {
    const path = folder.file("0.log");
    folder.file("first", criLine(0));
    folder.file("second", criLine(1));
    symlinkSync("first", path);
    const found: string[] = [];
    for await (const { text } of readLogFile(path, { follow: true, pollIntervalMs: 20 })) {
      found.push(text);
      if (found.length === 2) break;
      rmSync(path);
      symlinkSync("second", path);
    }
    expect(found).toEqual(["line 0", "line 1"]);
  });

  test("rotated to a named pipe is read without the pipe", async () => {
    const path = folder.file("0.log", criLine(1));
    folder.file("0.log.20261128-100000", criLine(0));
    pipe("0.log.20261128-110000");
    const gaps: LogGap[] = [];
    expect(await textsOf(path, { rotated: true, onGap: (gap) => gaps.push(gap) })).toEqual(["line 0", "line 1"]);
    expect(gaps).toEqual([]);
  });

  test("repeatedly replaced by a named pipe is read or refused, and never blocks", async () => {
    const path = folder.file("0.log", criLine(0));
    for (let round = 0; round < 200; round++) {
      const reading = textsOf(path).catch((error: unknown) => error);
      if (round % 2 === 0) renameSync(pipe("new"), path);
      else renameSync(folder.file("new", criLine(0)), path);
      const outcome = await reading;
      if (!Array.isArray(outcome)) expect(outcome).toMatchObject({ code: "FAILED_PRECONDITION" });
    }
  });
});

// Opening a pipe would block one of the four threads that Node.js uses for files and DNS, forever.
test.skipIf(skipOnWindows("named pipes in the file system"))(
  "four named pipes read at once leave files and DNS working, and the process can exit",
  async () => {
    const pipes = [1, 2, 3, 4].map((number) => pipe(`${number}.log`));
    const script = `
      import { lookup } from "node:dns/promises";
      import { readFile } from "node:fs/promises";
      import { readLogFile } from "./src/logs/read-log-file.js";
      const read = async (path) => { for await (const entry of readLogFile(path)); };
      const codes = await Promise.all(process.argv.slice(1).map((path) => read(path).catch(({ code }) => code)));
      await Promise.all([readFile("package.json"), lookup("127.0.0.1")]);
      console.log(codes.join());`;
    const options = { cwd: new URL("../../..", import.meta.url), timeout: 25_000 };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", script, ...pipes],
      options,
    );
    expect(stdout.trim()).toBe(pipes.map(() => "FAILED_PRECONDITION").join());
  },
);
