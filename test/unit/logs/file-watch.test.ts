import { EventEmitter } from "node:events";
import { type FSWatcher, watch } from "node:fs";
import { appendFile } from "node:fs/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { FileWatch } from "../../../src/logs/file-watch.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import { criLine, temporaryFolder } from "./support.js";

vi.mock(import("node:fs"), async (original) => {
  const fs = await original();
  return { ...fs, watch: vi.fn(fs.watch) as unknown as typeof fs.watch };
});

const folder = temporaryFolder();
const { signal } = new AbortController();

afterEach(() => vi.mocked(watch).mockReset());

async function waitedMs(watch: FileWatch, milliseconds: number): Promise<number> {
  const startedAt = performance.now();
  await watch.wait(milliseconds, signal);
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
      watching.clear();
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

  test("an abort rejects the wait with its reason", async () => {
    const watching = new FileWatch(folder.file("0.log", ""));
    const controller = new AbortController();
    const waiting = watching.wait(10_000, controller.signal);
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(watching.wait(10_000, controller.signal)).rejects.toBe("enough");
    watching.close();
  });
});
