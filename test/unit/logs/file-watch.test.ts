import { EventEmitter } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { appendFile, mkdir, rm } from "node:fs/promises";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { FileWatch } from "../../../src/logs/file-watch.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import { criLine, temporaryFolder } from "./support.js";

vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  return { ...fs, watch: vi.fn(fs.watch) as unknown as typeof fs.watch };
});

const folder = temporaryFolder();

afterEach(() => vi.mocked(watch).mockReset());

async function waitedMs(watch: FileWatch, milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  await watch.wait(milliseconds);
  return performance.now() - startedAt;
}

describe("watching a file", () => {
  test("a change of the file ends the wait, even one before the wait; a change of another file does not", async () => {
    const path = folder.file("0.log", "");
    const watching = new FileWatch(path);
    try {
      const waited = waitedMs(watching, 10_000);
      await appendFile(path, "x");
      expect(await waited).toBeLessThan(5_000);
      expect(await waitedMs(watching, 10_000)).toBeLessThan(5_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      watching.takeChange();
      await appendFile(folder.file("1.log"), "x");
      expect(await waitedMs(watching, 100)).toBeGreaterThan(95);
    } finally {
      watching.close();
    }
  });

  test("the wait ends after its time if the system has no more watchers, at first or later", async () => {
    vi.mocked(watch).mockImplementationOnce(() => {
      throw Object.assign(new Error("ENOSPC: System limit for number of file watchers reached"), { code: "ENOSPC" });
    });
    const failing = Object.assign(new EventEmitter(), { close: vi.fn() });
    vi.mocked(watch).mockImplementationOnce(() => failing as unknown as FSWatcher);
    const watching = new FileWatch(folder.file("0.log", ""));
    expect(await waitedMs(watching, 20)).toBeGreaterThan(15);
    failing.emit("error", new Error("EMFILE"));
    expect(failing.close).toHaveBeenCalled();
    watching.close();
  });

  test("a follower polls if watching fails", async () => {
    vi.mocked(watch).mockImplementation(() => {
      throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
    });
    const path = folder.file("0.log", criLine(0));
    const found: string[] = [];
    for await (const { text } of readLogFile(path, { follow: true, pollIntervalMs: 10 })) {
      found.push(text);
      if (found.length === 3) break;
      await appendFile(path, criLine(found.length));
    }
    expect(found).toEqual(["line 0", "line 1", "line 2"]);
  });

  /** Follows logs of one line each, and waits until all were read. */
  async function followIdle(names: readonly string[]) {
    const stop = new AbortController();
    const found: string[] = [];
    let waiting = 0;
    const followers = names.map(async (name) => {
      const options = { follow: true, signal: stop.signal, onWait: () => void waiting++ };
      for await (const { text } of readLogFile(folder.file(name, criLine(0)), options)) found.push(`${name}: ${text}`);
    });
    await expect.poll(() => [found.length, waiting]).toEqual([names.length, names.length]);
    return {
      found,
      async [Symbol.asyncDispose]() {
        stop.abort("enough");
        await Promise.allSettled(followers);
      },
    };
  }

  test("followers of a folder share one watcher and one timer, and leave neither", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "setInterval", "clearTimeout", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    let closed: unknown;
    {
      await using idle = await followIdle(["a.log", "b.log", "c.log"]);
      expect(watch).toHaveBeenCalledTimes(1);
      closed = vi.spyOn(vi.mocked(watch).mock.results[0]?.value as FSWatcher, "close");
      expect(vi.getTimerCount()).toBe(1);
      await appendFile(folder.file("b.log"), criLine(1));
      await expect.poll(() => idle.found.at(-1)).toBe("b.log: line 1");
    }
    expect(vi.getTimerCount()).toBe(0);
    expect(closed).toHaveBeenCalled();
  });

  test("a follower finds within ten seconds what no event announced", async () => {
    vi.mocked(watch).mockImplementation(
      () => Object.assign(new EventEmitter(), { close() {} }) as unknown as FSWatcher,
    );
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const names = Array.from({ length: 25 }, (_, index) => `${index}.log`);
    await using idle = await followIdle(names);
    for (const name of names) await appendFile(folder.file(name), criLine(1));
    vi.advanceTimersByTime(10_000);
    await expect.poll(() => idle.found.filter((text) => text.endsWith("line 1")).length).toBe(names.length);
  });

  test("a follower continues in a folder that replaces the watched one", async () => {
    await mkdir(folder.file("pod"));
    await using idle = await followIdle(["pod/0.log"]);
    await rm(folder.file("pod"), { recursive: true });
    await mkdir(folder.file("pod"));
    await appendFile(folder.file("pod/0.log"), criLine(1));
    await expect.poll(() => idle.found.at(-1)).toBe("pod/0.log: line 1");
  });
});
