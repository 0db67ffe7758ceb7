import {
  appendFileSync,
  closeSync,
  copyFileSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { LogGap } from "../../../src/logs/log-gap.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import { criLine, openBelow, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

/** Follows a log and collects the text of its entries. Returns when the follower has caught up. */
async function follow(path: string) {
  const gaps: LogGap[] = [];
  const found: string[] = [];
  let isRunning = true;
  let waits = 0;
  const stream = readLogFile(path, {
    follow: true,
    pollIntervalMs: 20,
    isRunning: () => isRunning,
    onWait: () => void waits++,
    onGap: (gap) => gaps.push(gap),
  });
  const ended = (async () => {
    for await (const { text } of stream) found.push(text);
  })();
  ended.catch(() => {});
  const caughtUp = () => {
    const before = waits;
    return vi.waitUntil(() => waits > before, { timeout: 10_000, interval: 5 });
  };
  await caughtUp();
  return {
    gaps,
    found,
    caughtUp,
    until: (count: number) => vi.waitUntil(() => found.length >= count, { timeout: 10_000, interval: 5 }),
    end: async () => {
      isRunning = false;
      await ended;
    },
    close: () => stream.close(),
  };
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

/** Programs that rotate logs, with the names that they give to files. */
const rotators: Record<string, (log: string, count: number) => void> = {
  "the kubelet": (log, count) => renameSync(log, `${log}.20261123-0${count}0000`),
  Docker: (log, count) => {
    for (let index = count; index >= 1; index--)
      renameSync(index === 1 ? log : `${log}.${index - 1}`, `${log}.${index}`);
  },
  "Docker, which compresses": (log, count) => {
    for (let index = count; index >= 2; index--) {
      if (index === 2) {
        writeFileSync(`${log}.2.gz`, gzipSync(contentOf.get(count - 1) ?? ""));
        rmSync(`${log}.1`);
      } else renameSync(`${log}.${index - 1}.gz`, `${log}.${index}.gz`);
    }
    renameSync(log, `${log}.1`);
  },
  "logrotate with dates": (log, count) => renameSync(log, `${log}-2026112${count}`),
  "logrotate with an extension": (log, count) => renameSync(log, log.replace(".log", `-2026112${count}.log`)),
  "a program with names that do not sort": (log, count) =>
    renameSync(log, `${log}.${["b", "a", "d", "c", "e"][count - 1]}-old`),
};
/** The content of each rotated file by the number of its rotation, for rotators that compress. */
const contentOf = new Map<number, string>();

describe("rotations that are faster than the reader", () => {
  test.each(Object.keys(rotators))("lose and repeat nothing, by %s", async (who) => {
    contentOf.clear();
    const path = folder.file("0.log", criLine(0));
    const log = await follow(path);
    for (let count = 1; count <= 5; count++) {
      appendFileSync(path, criLine(2 * count - 1));
      contentOf.set(count, count === 1 ? criLine(0) + criLine(1) : criLine(2 * count - 2) + criLine(2 * count - 1));
      rotators[who]!(path, count);
      writeFileSync(path, criLine(2 * count));
      await delay(20);
    }
    await log.until(11);
    await log.end();
    expect(log.found).toEqual(numbers(0, 11));
    expect(log.gaps).toEqual([]);
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("may leave no current file, like the last rotation after the container has ended", async () => {
    const path = folder.file("0.log", criLine(0));
    const log = await follow(path);
    for (let count = 1; count <= 4; count++) {
      appendFileSync(path, criLine(2 * count - 1));
      renameSync(path, `${path}.20261123-0${count}0000`);
      if (count < 4) writeFileSync(path, criLine(2 * count));
    }
    await log.end();
    expect(log.found).toEqual(numbers(0, 8));
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("leave a rotated file that is read until there is a new current file", async () => {
    const path = folder.file("0.log", criLine(0));
    const log = await follow(path);
    renameSync(path, `${path}.1`);
    writeFileSync(path, criLine(1));
    renameSync(`${path}.1`, `${path}.2`);
    renameSync(path, `${path}.1`);
    await log.until(2);
    appendFileSync(`${path}.1`, criLine(2));
    await log.until(3);
    writeFileSync(path, criLine(3));
    await log.until(4);
    await log.end();
    expect(log.found).toEqual(numbers(0, 4));
  });
});

test.each([
  ["web.log", "web-sidecar.log"],
  ["web.log", "web.1.log"],
  ["web", "web-sidecar"],
  ["web", "web.y"],
])("reading %s with its rotated files ignores %s, the log of another container", async (name, other) => {
  folder.file(other, criLine(0, "other"));
  const texts: string[] = [];
  for await (const { text } of readLogFile(folder.file(name, criLine(1)), { rotated: true })) texts.push(text);
  expect(texts).toEqual(["line 1"]);
});

test("does not read a large file again after a rotation, wherever reading started", async () => {
  const lines = Array.from({ length: 30_000 }, (_, index) => criLine(index)).join("");
  const path = folder.file("0.log", lines);
  const texts: string[] = [];
  let isRunning = true;
  const stream = readLogFile(path, { follow: true, tailLines: 1, pollIntervalMs: 20, isRunning: () => isRunning });
  for await (const { text } of stream) {
    texts.push(text);
    if (texts.length === 1) {
      renameSync(path, `${path}.1`);
      writeFileSync(path, criLine(30_000));
    } else isRunning = false;
  }
  expect(texts).toEqual(["line 29999", "line 30000"]);
});

describe("late lines of a rotated file", () => {
  afterEach(() => void vi.useRealTimers());

  test.each([
    ["an hour ago", -3_600_000],
    ["in an hour", 3_600_000],
  ])("are awaited even if the clock was set, so that the file seems to have changed %s", async (_, offsetMs) => {
    const path = folder.file("0.log", criLine(3));
    const rotated = folder.file("0.log.1");
    const write = (text: string) => {
      appendFileSync(rotated, text);
      const time = new Date(Date.now() + offsetMs);
      utimesSync(rotated, time, time);
    };
    write(criLine(0));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const found: string[] = [];
    const reading = (async () => {
      for await (const { text } of readLogFile(path, { rotated: true })) found.push(text);
    })();
    for (const lateLine of [criLine(1), criLine(2), ""]) {
      while (vi.getTimerCount() === 0) await nextTurn();
      write(lateLine);
      vi.runOnlyPendingTimers();
    }
    await reading;
    expect(found).toEqual(numbers(0, 4));
  });

  test("are not awaited once limitBytes is reached", async () => {
    const path = folder.file("0.log", criLine(1));
    folder.file("0.log.1", criLine(0));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    // If it waited, the test would time out, because timers are fake.
    for await (const { text } of readLogFile(path, { rotated: true, limitBytes: 4 })) expect(text).toBe("line");
  });
});

describe("a log that is truncated in place while it is followed", () => {
  test("may begin with a hole, because the writer's offset stays the same", async () => {
    const path = folder.file("0.log", "");
    const file = openSync(path, "r+");
    let offset = 0;
    const write = (text: string) => {
      offset += writeSync(file, text, offset);
    };
    write(criLine(0) + criLine(1));
    const log = await follow(path);
    truncateSync(path, 0);
    await log.caughtUp();
    await log.caughtUp();
    write(criLine(2));
    await log.until(3);
    write(criLine(3));
    await log.until(4);
    await log.end();
    closeSync(file);
    expect(log.found).toEqual(numbers(0, 4));
    expect(log.gaps).toMatchObject([{ reason: "zeros", offset: 0 }]);
  });

  test("may have been copied before: the copy is not read again, even if the log is removed", async () => {
    const path = folder.file("0.log", criLine(0) + criLine(1));
    const log = await follow(path);
    copyFileSync(path, `${path}.1`);
    truncateSync(path, 0);
    await log.caughtUp();
    await log.caughtUp();
    appendFileSync(path, criLine(2));
    await log.until(3);
    rmSync(path);
    await log.caughtUp();
    await log.end();
    expect(log.found).toEqual(numbers(0, 3));
  });

  test("may begin with half a line", async () => {
    const path = folder.file("0.log", criLine(0) + criLine(1));
    const log = await follow(path);
    truncateSync(path, 0);
    await log.caughtUp();
    await log.caughtUp();
    appendFileSync(path, `half a line\n${criLine(2)}`);
    await log.until(3);
    await log.end();
    expect(log.found).toEqual(numbers(0, 3));
    expect(log.gaps).toMatchObject([{ reason: "malformed", offset: 0, bytes: 11 }]);
  });
});
