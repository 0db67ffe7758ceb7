import { mkdirSync, symlinkSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test, vi } from "vitest";
import { skipOnWindows } from "../../support/platform.js";
import { criLine, temporaryFolder, texts } from "./support.js";

vi.mock(import("node:fs/promises"), async (original) => {
  const fs = await original();
  return { ...fs, readdir: vi.fn(fs.readdir) as unknown as typeof fs.readdir };
});

const folder = temporaryFolder();
const noLinks = skipOnWindows("symbolic links to a log");

afterEach(() => vi.mocked(readdir).mockReset());

describe("opening a log", () => {
  test("needs no permission to list its directory", async () => {
    // Mocked, because root can list every directory.
    vi.mocked(readdir).mockRejectedValue(Object.assign(new Error("EACCES: permission denied"), { code: "EACCES" }));
    expect(await texts(folder.file("0.log", criLine(0)))).toEqual(["line 0"]);
    await expect(texts(folder.file("1.log"))).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test.each([{}, { follow: true, waitForFile: true, writerEnded: AbortSignal.abort() }])(
    "waits for a log that appears late, with %j",
    async (options) => {
      const path = join(folder.path, "0.log");
      const reading = texts(path, { ...options, appearsWithinMs: 20_000 });
      await sleep(100);
      folder.file("0.log", criLine(0));
      expect(await reading).toEqual(["line 0"]);
    },
  );

  test.skipIf(noLinks)(
    "finds the latest rotated file through symbolic links while the log has no current file",
    async () => {
      mkdirSync(folder.file("pod"));
      mkdirSync(folder.file("containers"));
      folder.file("pod/0.log.20261123-010000", criLine(0, "old"));
      folder.file("pod/0.log.20261123-020000", criLine(1, "latest"));
      symlinkSync("../pod/0.log", folder.file("containers/a.log"));
      symlinkSync("containers/a.log", folder.file("b.log"));
      expect(await texts(folder.file("b.log"))).toEqual(["latest"]);
      expect(await texts(folder.file("b.log"), { rotated: true })).toEqual(["old", "latest"]);
    },
  );

  test.skipIf(noLinks)("rejects symbolic links that form a loop", async () => {
    symlinkSync("1.log", folder.file("0.log"));
    symlinkSync("0.log", folder.file("1.log"));
    await expect(texts(folder.file("0.log"))).rejects.toThrow("0.log");
  });
});
