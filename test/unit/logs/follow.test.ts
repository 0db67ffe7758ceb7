import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import type { LogEntry } from "../../../src/logs/entry.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";
import { skipOnWindows } from "../../support/platform.js";
import { criLine, criLines, openBelow, temporaryFolder, texts } from "./support.js";

const folder = temporaryFolder();

/** Follows a log and collects the text of its entries. */
function follow(path: string, options: ReadLogOptions = {}) {
  const stream = readLogFile(path, { follow: true, encoding: "utf8", ...options }) as AsyncIterable<LogEntry> & {
    close(): Promise<void>;
  };
  const found: string[] = [];
  const ended = (async () => {
    for await (const { text } of stream) found.push(text);
  })();
  ended.catch(() => {});
  const until = async (count: number) => {
    for (let round = 0; found.length < count; round++) {
      if (round > 1_000) throw new Error(`Only ${found.length} lines were read: ${found.slice(-3)}`);
      await delay(5);
    }
  };
  return { found, ended, until, close: () => stream.close() };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

describe("following", () => {
  test("emits lines that are written later, and a line that was incomplete at first", async () => {
    const path = folder.file("0.log", criLine(0));
    const log = follow(path);
    await log.until(1);
    appendFileSync(path, criLine(1).slice(0, 20));
    await delay(50);
    appendFileSync(path, criLine(1).slice(20) + criLine(2));
    await log.until(3);
    await log.close();
    await log.ended;
    expect(log.found).toEqual(numbers(0, 3));
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("logs at rest share one buffer", async () => {
    const bytesOf = () => process.memoryUsage().arrayBuffers;
    const before = bytesOf();
    const logs: ReturnType<typeof follow>[] = [];
    for (let index = 0; index < 50; index++) {
      const log = follow(folder.file(`at-rest-${index}.log`, criLine(0)));
      await log.until(1);
      logs.push(log);
    }
    // A buffer for each log takes 13 MB.
    expect(bytesOf() - before).toBeLessThan(5e6);
    appendFileSync(`${folder.path}/at-rest-0.log`, criLine(1));
    await logs[0]!.until(2);
    for (const log of logs) await log.close();
  });

  test("starts at tailLines; 0 emits only new lines", async () => {
    const path = folder.file("0.log", criLines(0, 10) + criLine(10).slice(0, 45));
    const last = follow(path, { tailLines: 3 });
    await last.until(2);
    const onWait = vi.fn();
    const none = follow(path, { tailLines: 0, onWait });
    await vi.waitUntil(() => onWait.mock.calls.length > 0, { timeout: 10_000 });
    appendFileSync(path, criLine(10).slice(45) + criLine(11));
    await none.until(2);
    await last.until(4);
    await Promise.all([last.close(), none.close()]);
    expect(last.found).toEqual(numbers(8, 12));
    expect(none.found).toEqual(numbers(10, 12));
  });

  test("reads late lines of each of several files that were rotated shortly after one another", async () => {
    const path = folder.file("0.log", criLine(0));
    const [first, second] = [`${path}.20261123-000001`, `${path}.20261123-000002`];
    const log = follow(path);
    await log.until(1);
    renameSync(path, first);
    writeFileSync(path, "");
    await delay(20);
    appendFileSync(first, criLine(1));
    await delay(120);
    appendFileSync(path, criLine(2));
    renameSync(path, second);
    writeFileSync(path, criLine(4));
    await delay(100);
    appendFileSync(second, criLine(3));
    await log.until(5);
    expect(log.found).toEqual(numbers(0, 5));
    await log.close();
  });

  test("ends after isRunning returns false, with everything that was written before", async () => {
    const path = folder.file("0.log", criLines(0, 5));
    let asked = 0;
    const isRunning = async () => {
      asked++;
      appendFileSync(path, criLines(5, 1_000) + criLine(1_000).trimEnd());
      return false;
    };
    expect(await texts(path, { follow: true, isRunning })).toEqual(numbers(0, 1_001));
    expect(asked).toBe(1);
  });

  test("calls isRunning at most once a second, and only when idle", async () => {
    const path = folder.file("0.log", criLine(0));
    const askedAt: number[] = [];
    const isRunning = () => {
      askedAt.push(performance.now());
      return askedAt.length < 3;
    };
    const log = follow(path, { isRunning, pollIntervalMs: 20 });
    const timer = setInterval(() => appendFileSync(path, criLine(1)), 15);
    await log.ended;
    clearInterval(timer);
    expect(askedAt).toHaveLength(3);
    expect(askedAt[2]! - askedAt[0]!).toBeGreaterThan(1_990);
  });

  test("fails with the error of isRunning", async () => {
    const path = folder.file("0.log", criLine(0));
    const failure = new Error("isRunning failed");
    const log = follow(path, { isRunning: () => Promise.reject(failure) });
    await expect(log.ended).rejects.toBe(failure);
    expect(log.found).toEqual(numbers(0, 1));
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("ends soon after until", async () => {
    const path = folder.file("0.log", criLine(0));
    const until = new Date(Date.now() - 500);
    const startedAt = performance.now();
    await texts(path, { follow: true, until });
    expect(performance.now() - startedAt).toBeGreaterThan(490);
  });

  test.each(["abort", "close"] as const)("%s ends it at once, even while isRunning is pending", async (how) => {
    const path = folder.file("0.log", criLine(0));
    const controller = new AbortController();
    const log = follow(path, { signal: controller.signal, isRunning: () => new Promise(() => {}) });
    await log.until(1);
    await delay(20);
    if (how === "abort") {
      controller.abort("enough");
      await expect(log.ended).rejects.toBe("enough");
    }
    await log.close();
    if (how === "close") await log.ended;
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("polls where the file system reports no events", async () => {
    // The folder is replaced, so a watcher of the old one receives no events.
    mkdirSync(folder.file("pod"));
    const path = folder.file("pod/0.log", criLine(0));
    const log = follow(path, { pollIntervalMs: 20 });
    await log.until(1);
    renameSync(folder.file("pod"), folder.file("gone"));
    mkdirSync(folder.file("pod"));
    writeFileSync(path, criLine(1));
    await log.until(2);
    await log.close();
  });
});

describe("a file that appears or disappears", () => {
  test("is awaited with waitForFile", async () => {
    const path = folder.file("pod/0.log");
    const log = follow(path, { waitForFile: true, pollIntervalMs: 20 });
    await delay(50);
    mkdirSync(folder.file("pod"));
    await delay(50);
    writeFileSync(path, criLine(0));
    await log.until(1);
    await log.close();
  });

  test("is not awaited if its writer has ended", async () => {
    expect(await texts(folder.file("0.log"), { waitForFile: true, isRunning: () => false })).toEqual([]);
  });

  test("ends the follower if it was removed and its writer has ended", async () => {
    const path = folder.file("0.log", criLine(0));
    let running = true;
    const log = follow(path, { isRunning: () => running });
    await log.until(1);
    rmSync(path);
    await delay(50);
    running = false;
    await log.ended;
    expect(log.found).toEqual(numbers(0, 1));
    expect(openBelow(folder.path)).toEqual([]);
  });
});

describe("rotation", () => {
  test("by renaming loses nothing: 20 rotations within 50,000 lines", { timeout: 60_000 }, async () => {
    const path = folder.file("0.log", "");
    let isWaiting = false;
    const log = follow(path, { onWait: () => (isWaiting = true) });
    await vi.waitUntil(() => isWaiting, { timeout: 10_000 });
    const writer = new Worker(rotatingWriter, { eval: true, workerData: { path, lines: 50_000, rotations: 20 } });
    await new Promise((resolve, reject) => writer.once("exit", resolve).once("error", reject));
    await log.until(50_000);
    await log.close();
    expect(log.found).toEqual(numbers(0, 50_000));
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("lines that are written to the old file after it was renamed are read", async () => {
    const path = folder.file("0.log", criLine(0));
    const log = follow(path);
    await log.until(1);
    renameSync(path, `${path}.20261123-010000`);
    await delay(20);
    appendFileSync(`${path}.20261123-010000`, criLine(1));
    await log.until(2);
    writeFileSync(path, "");
    appendFileSync(`${path}.20261123-010000`, criLine(2));
    appendFileSync(path, criLine(3));
    await log.until(4);
    await log.close();
    expect(log.found).toEqual(numbers(0, 4));
  });

  test.each(["plain", "compressed"])(
    "reads every line after several rotations, while the rotated files are %s",
    async (kind) => {
      const path = folder.file("0.log", criLines(0, 10));
      folder.file("0.log.20261122-000000.gz", gzipSync(criLine(999)));
      // A slow consumer, which continues to read only after three rotations.
      const stream = readLogFile(path, { follow: true });
      const found: string[] = [];
      for await (const { text } of stream) {
        found.push(text);
        if (text === "line 9") {
          const names = ["010000", "020000", "030000"].map((time) => `${path}.20261123-${time}`);
          for (const [index, name] of names.entries()) {
            appendFileSync(path, criLine(10 + 2 * index));
            renameSync(path, name);
            writeFileSync(path, criLine(11 + 2 * index));
          }
          if (kind === "compressed") {
            const [first = "", second = ""] = names;
            for (const [name, content] of [
              [first, criLines(0, 11)],
              [second, criLines(11, 13)],
            ] as const) {
              writeFileSync(`${name}.gz`, gzipSync(content));
              rmSync(name);
            }
          }
        }
        if (text === "line 15") break;
      }
      expect(found).toEqual(numbers(0, 16));
      expect(openBelow(folder.path)).toEqual([]);
    },
  );

  test("by copying and truncating continues at the beginning of the file", async () => {
    const path = folder.file("0.log", criLines(0, 10));
    const log = follow(path);
    await log.until(10);
    truncateSync(path);
    appendFileSync(path, criLine(10));
    await log.until(11);
    await log.close();
    expect(log.found).toEqual(numbers(0, 11));
  });

  test.skipIf(skipOnWindows("symbolic links to a log"))(
    "of the target of a symbolic link, and of the link, is followed",
    async () => {
      mkdirSync(folder.file("a"));
      mkdirSync(folder.file("b"));
      folder.file("a/0.log", criLine(0));
      const link = folder.file("link.log");
      symlinkSync(folder.file("a/0.log"), link);
      const log = follow(link, { pollIntervalMs: 20 });
      await log.until(1);
      renameSync(folder.file("a/0.log"), folder.file("a/0.log.20261123-010000"));
      folder.file("a/0.log", criLine(1));
      await log.until(2);
      folder.file("b/1.log", criLine(2));
      rmSync(link);
      symlinkSync(folder.file("b/1.log"), link);
      await log.until(3);
      appendFileSync(folder.file("b/1.log"), criLine(3));
      await log.until(4);
      await log.close();
      expect(log.found).toEqual(numbers(0, 4));
    },
  );

  test("may change the format", async () => {
    const path = folder.file("0.log", criLine(0));
    const log = follow(path);
    await log.until(1);
    renameSync(path, `${path}.1`);
    writeFileSync(path, `{"log":"line 1\\n","stream":"stdout","time":"2026-11-23T05:55:00Z"}\n`);
    await log.until(2);
    await log.close();
    expect(log.found).toEqual(numbers(0, 2));
  });
});

/** Acts as runtime and kubelet: writes numbered lines, regularly renames the file, continues writing to it, and reopens the log. */
const rotatingWriter = `
  const { openSync, writeSync, closeSync, renameSync } = require("node:fs");
  const { path, lines, rotations } = require("node:worker_threads").workerData;
  const pause = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  let fd = openSync(path, "a");
  for (let number = 0; number < lines; number++) {
    const place = number % (lines / rotations);
    if (number > 0 && place === 0) renameSync(path, path + ".20261123-" + String(100000 + number / (lines / rotations)));
    if (number > lines / rotations && place === 7) {
      const next = openSync(path, "a");
      pause(2);
      closeSync(fd);
      fd = next;
    }
    writeSync(fd, "2026-11-23T05:55:00.000000000Z stdout F line " + number + "\\n");
    if (number % 500 === 0) pause(5);
  }
  closeSync(fd);
`;
