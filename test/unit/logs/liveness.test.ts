import { getEventListeners } from "node:events";
import { appendFileSync, writeFileSync } from "node:fs";
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { FileWatch } from "../../../src/logs/file-watch.js";
import { Liveness } from "../../../src/logs/liveness.js";
import { fileState } from "../../../src/logs/log-file.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";
import { checkReadOptions } from "../../../src/logs/read-settings.js";
import { criLine, criLines, openBelow, temporaryFolder, texts } from "./support.js";

const folder = temporaryFolder();

/** Returns the unhandled rejections during an action and shortly after. */
async function unhandledDuring(work: () => Promise<void>): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  try {
    await work();
    await delay(50);
  } finally {
    process.off("unhandledRejection", listener);
  }
  return unhandled;
}

/** Rejects when the signal aborts, and otherwise stays pending. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<boolean>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });

describe("the end of the writer", () => {
  test("ends following at once, after the lines that were written before", async () => {
    const path = folder.file("0.log", criLines(0, 2));
    const writer = new AbortController();
    const followed = texts(path, { follow: true, writerEnded: writer.signal, pollIntervalMs: 60_000 });
    await delay(100);
    appendFileSync(path, criLines(2, 3));
    const startedAt = performance.now();
    writer.abort();
    expect(await followed).toEqual(["line 0", "line 1", "line 2"]);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await texts(path, { follow: true, writerEnded: writer.signal })).toHaveLength(3);
  });

  test("ends the wait for a file that was never created", async () => {
    const writer = new AbortController();
    const path = `${folder.path}/none.log`;
    const followed = texts(path, { follow: true, waitForFile: true, writerEnded: writer.signal });
    await delay(50);
    writer.abort();
    expect(await followed).toEqual([]);
  });
});

describe("isRunning", () => {
  test("that rejects after the reader was closed causes no unhandled rejection", async () => {
    const path = folder.file("0.log", criLines(0, 3));
    const unhandled = await unhandledDuring(async () => {
      for await (const { text } of readLogFile(path, { follow: true, isRunning: untilAborted })) {
        if (text === "line 2") break;
      }
      // Close it at each of the steps before isRunning is called.
      for (let turns = 0; turns < 40; turns++) {
        const stream = readLogFile(path, { follow: true, isRunning: untilAborted });
        const reading = (async () => {
          for await (const _ of stream);
        })();
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        await stream.close();
        await reading;
      }
    });
    expect(unhandled).toEqual([]);
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("is not called again once the signal has aborted", async () => {
    const controller = new AbortController();
    let asked = 0;
    const isRunning = (signal: AbortSignal) => {
      asked++;
      return untilAborted(signal);
    };
    const liveness = new Liveness(checkReadOptions({ isRunning }), controller.signal);
    const watch = new FileWatch(folder.file("0.log", ""));
    const stopListening = liveness.listen();
    const unhandled = await unhandledDuring(async () => {
      const waiting = liveness.waitForMore(watch);
      controller.abort("enough");
      await expect(waiting).rejects.toBe("enough");
      await expect(liveness.waitForMore(watch)).rejects.toBe("enough");
    }).finally(() => watch.close());
    stopListening();
    expect(unhandled).toEqual([]);
    expect(asked).toBe(1);
  });

  test("an abort ends a wait for an event, and leaves no listener", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const liveness = new Liveness(checkReadOptions({ follow: true }), signal);
    const path = folder.file("0.log", "");
    const file = await fileState(path);
    const watch = new FileWatch(path);
    const stopListening = liveness.listen();
    expect(watch.isReliable).toBe(true);
    const waiting = liveness.waitForMore(watch, file);
    setTimeout(() => controller.abort("enough"), 10);
    await expect(waiting).rejects.toBe("enough");
    stopListening();
    watch.close();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("delays no lines while it is pending, and is not called again meanwhile", async () => {
    const path = folder.file("0.log");
    const startedAt = performance.now();
    const readAt: number[] = [];
    let asked = 0;
    const isRunning = async () => {
      asked++;
      await delay(1_500);
      appendFileSync(path, criLine(2));
      return false;
    };
    setTimeout(() => writeFileSync(path, criLine(0)), 50);
    setTimeout(() => appendFileSync(path, criLine(1)), 150);
    for await (const _ of readLogFile(path, { follow: true, waitForFile: true, isRunning, pollIntervalMs: 20 })) {
      readAt.push(performance.now() - startedAt);
    }
    expect(readAt).toHaveLength(3);
    expect(readAt[1]).toBeLessThan(1_000);
    expect(asked).toBe(1);
  });

  test.each([{ follow: true }, { waitForFile: true }])("ends the wait when it settles: %o", async (options) => {
    const path = folder.file("0.log", "follow" in options ? criLine(0) : undefined);
    // No wait times out.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await texts(path, { ...options, pollIntervalMs: 60_000, isRunning: () => nextTurn(false) });
  });

  test("fails the wait for a file if it throws", async () => {
    const isRunning = () => {
      throw new Error("isRunning failed");
    };
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await expect(texts(folder.file("0.log"), { waitForFile: true, isRunning })).rejects.toThrow("isRunning failed");
  });
});

describe("onWait", () => {
  /** Records entries and the first call of onWait, in order, until one more line was written and read. */
  async function events(path: string, options: ReadLogOptions): Promise<string[]> {
    const found: string[] = [];
    const onWait = () => {
      if (found.includes("caught up")) return;
      found.push("caught up");
      appendFileSync(path, criLine(9));
    };
    let running = true;
    const isRunning = () => running;
    const all = { ...options, onWait, isRunning, pollIntervalMs: 20, encoding: "utf8" } as const;
    for await (const { text } of readLogFile(path, all)) {
      found.push(text);
      if (text === "line 9") running = false;
    }
    return found;
  }

  test("is called before waiting", async () => {
    const path = folder.file("0.log", criLines(0, 2));
    expect(await events(path, { follow: true })).toEqual(["line 0", "line 1", "caught up", "line 9"]);
    const options = { follow: true, waitForFile: true };
    expect(await events(folder.file("1.log"), options)).toEqual(["caught up", "line 9"]);
  });

  test("is not called without follow", async () => {
    expect(await events(folder.file("0.log", criLine(0)), {})).toEqual(["line 0"]);
    const later = folder.file("1.log");
    setTimeout(() => writeFileSync(later, criLine(0)), 50);
    expect(await events(later, { waitForFile: true })).toEqual(["line 0"]);
  });
});
