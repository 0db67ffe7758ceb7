import { appendFileSync, mkdirSync, truncateSync } from "node:fs";
import { basename } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CriError, InvalidInputError } from "../../../src/errors.js";
import type { LogGap } from "../../../src/logs/log-gap.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import { documents } from "./documents.js";
import { readReference } from "./reference.js";
import { criLine, criLines, openBelow, read, temporaryFolder, texts, timeOf } from "./support.js";

const folder = temporaryFolder();

describe("a log file", () => {
  test("is read as strings or as bytes", async () => {
    const path = folder.file("0.log", criLine(1, "a") + criLine(2, "", "stderr"));
    expect(await read(path)).toEqual([
      { timestamp: timeOf(1), stream: "stdout", partial: false, text: "a" },
      { timestamp: timeOf(2), stream: "stderr", partial: false, text: "" },
    ]);
    const first = [];
    for await (const batch of readLogFile(path, { encoding: "buffer", limitBytes: 1 }).batches()) first.push(...batch);
    expect(first[0]).toMatchObject({ timestamp: timeOf(1), stream: "stdout", partial: false, bytes: Buffer.from("a") });
  });

  test("may be empty", async () => {
    expect(await read(folder.file("0.log", ""))).toEqual([]);
    expect(await read(folder.file("0.log", ""), { tailLines: 3 })).toEqual([]);
  });

  test("counts lines that could not be read", async () => {
    const stream = readLogFile(folder.file("0.log", `${criLine(1)}bad\n${criLine(2)}worse`));
    for await (const _ of stream);
    expect(stream.skippedLines).toBe(2);
  });

  test("that does not exist fails with an error that explains where logs are", async () => {
    const path = folder.file("missing.log");
    const failure = await read(path).catch((error: unknown) => error);
    expect(CriError.is(failure, "NOT_FOUND")).toBe(true);
    expect(String(failure)).toContain(`there is no log file ${path}. Logs are files on the node of the runtime`);
    expect(CriError.is(await read(`${path}/0.log`).catch((error: unknown) => error), "NOT_FOUND")).toBe(true);
  });

  test("that is a folder or not a log is refused", async () => {
    mkdirSync(folder.file("d"));
    await expect(read(folder.file("d"))).rejects.toMatchObject({ code: "FAILED_PRECONDITION" });
    await expect(read(folder.file("0.log", "x\n"))).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    await expect(read(folder.file("0.log", "x\ny\n"), { tailLines: 1 })).rejects.toMatchObject({
      code: "INVALID_RESPONSE",
    });
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("is closed after a break and after an abort", async () => {
    const path = folder.file("0.log", criLines(0, 20_000));
    for await (const _ of readLogFile(path)) break;
    expect(openBelow(folder.path)).toEqual([]);
    const controller = new AbortController();
    const stream = readLogFile(path, { signal: controller.signal });
    const reading = (async () => {
      for await (const { text } of stream) if (text === "line 10") controller.abort("enough");
    })();
    await expect(reading).rejects.toBe("enough");
    await stream.close();
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("ends after limitBytes without reading the rest", async () => {
    const path = folder.file("0.log", criLine(1, "12345"));
    truncateSync(path, 2 ** 33);
    expect(await texts(path, { limitBytes: 3 })).toEqual(["123"]);
  });
});

describe("tailLines", () => {
  test("emits the last of the entries that are emitted without it", async () => {
    const options = fc.record({
      tailLines: fc.nat(12),
      streams: fc.constantFrom(["stdout"] as const, ["stderr"] as const, ["stdout", "stderr"] as const),
    });
    await fc.assert(
      fc.asyncProperty(documents(), options, async (bytes, options) => {
        const path = folder.file("0.log", bytes);
        const expected = readReference(bytes, options).entries;
        expect(await read(path, options)).toEqual(
          expected.map(({ bytes, ...rest }) => ({ ...rest, text: Buffer.from(bytes).toString() })),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("emits all parts of a line", async () => {
    const log = criLine(1) + criLine(2, "a", "stdout", "P") + criLine(3, "b", "stderr") + criLine(4, "c");
    const path = folder.file("0.log", log);
    expect(await texts(path, { tailLines: 1, partial: "separate" })).toEqual(["a", "c"]);
    expect(await texts(path, { tailLines: 2, partial: "separate" })).toEqual(["a", "b", "c"]);
  });

  test("counts lines up to until", async () => {
    const path = folder.file("0.log", criLines(0, 100));
    expect(await texts(path, { tailLines: 2, until: timeOf(50) })).toEqual(["line 49", "line 50"]);
    expect(await texts(path, { tailLines: 10, since: timeOf(98) })).toEqual(["line 98", "line 99"]);
  });

  test("finds lines across blocks, and lines longer than a block", async () => {
    const long = "x".repeat(300_000);
    const path = folder.file("0.log", criLines(0, 3_000) + criLine(3_000, long) + criLines(3_001, 6_000));
    for (const tailLines of [1, 700, 2_998, 2_999, 3_000, 3_001, 5_999, 6_000, 6_001]) {
      const found = await texts(path, { tailLines });
      expect(found).toHaveLength(Math.min(tailLines, 6_000));
      expect(found.at(-1)).toBe("line 5999");
      expect(found.includes(long)).toBe(tailLines >= 3_000);
    }
  });

  test("reads no more of 8 GiB than necessary", async () => {
    const path = folder.file("0.log", `${criLine(1)}${timeOf(2)} stdout F `);
    truncateSync(path, 2 ** 33);
    appendFileSync(path, `\n${criLines(3, 50)}`);
    const startedAt = performance.now();
    expect(await texts(path, { tailLines: 10 })).toEqual(
      Array.from({ length: 10 }, (_, index) => `line ${40 + index}`),
    );
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  test("limits the search for the beginning of a line of a stream that is hardly used", async () => {
    const path = folder.file("0.log", criLine(1));
    truncateSync(path, 2 ** 33);
    appendFileSync(path, `\n${criLines(0, 60_000)}${criLine(1, "e", "stderr")}`);
    expect(await texts(path, { tailLines: 2 })).toEqual(["line 59999", "e"]);
  });

  test("counts lines, not records, in Docker's format", async () => {
    const json = (log: string, number: number) =>
      `${JSON.stringify({ log, stream: "stdout", time: timeOf(number) })}\n`;
    const path = folder.file("0.log", json("a\n", 1) + json("b", 2) + json("c\n", 3) + json("d\n", 4));
    expect(await texts(path, { tailLines: 2 })).toEqual(["bc", "d"]);
  });
});

describe("rotated files", () => {
  function rotatedLog(): string {
    folder.file("0.log.20261123-010000.gz", gzipSync(criLines(0, 1_000)));
    folder.file("0.log.20261123-020000.gz", gzipSync(criLines(1_000, 2_000)));
    folder.file("0.log.20261123-020000.gz.tmp", "incomplete");
    folder.file("0.log.20261123-030000", criLines(2_000, 3_000) + criLine(3_000, "a", "stdout", "P"));
    folder.file("0.log.20261123-030000.gz", "not yet complete, and not needed");
    folder.file("0.log.old", "another log");
    folder.file("10.log.20261123-010000", "another log");
    return folder.file("0.log", criLine(3_000, "b") + criLines(3_001, 3_100));
  }
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => (from + index === 3_000 ? "ab" : `line ${from + index}`));

  test("are read from the oldest on, and lines continue across files", async () => {
    const path = rotatedLog();
    expect(await texts(path)).toHaveLength(100);
    expect(await texts(path, { rotated: true })).toEqual(lines(0, 3_100));
    expect(openBelow(folder.path)).toEqual([]);
  });

  test.each([0, 1, 99, 101, 500, 1_099, 1_100, 1_101, 1_600, 2_100, 2_101, 3_100, 4_000])(
    "contain some of the last %i lines",
    async (tailLines) => {
      const path = rotatedLog();
      const expected = lines(Math.max(0, 3_100 - tailLines), 3_100);
      expect(await texts(path, { rotated: true, tailLines })).toEqual(expected);
      expect(openBelow(folder.path)).toEqual([]);
    },
  );

  test("that are damaged are reported, and the others are read", async () => {
    const path = rotatedLog();
    const whole = await texts(path, { rotated: true });
    folder.file("0.log.20261122-000000.gz", "");
    folder.file("0.log.20261122-010000.gz", "no gzip");
    folder.file("0.log.20261122-020000.gz", gzipSync(criLine(500_000, "cut")).subarray(0, 30));
    const gaps: LogGap[] = [];
    expect(await texts(path, { rotated: true, onGap: (gap) => gaps.push(gap) })).toEqual(whole);
    expect(gaps.map(({ reason, path }) => [reason, basename(path)]).sort()).toEqual([
      ["unreadable", "0.log.20261122-000000.gz"],
      ["unreadable", "0.log.20261122-010000.gz"],
      ["unreadable", "0.log.20261122-020000.gz"],
      ["unreadable", "0.log.old"],
    ]);
    expect(gaps.every(({ error }) => CriError.is(error, "DATA_LOSS"))).toBe(true);
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("that are truncated are read up to that point", async () => {
    const path = folder.file("0.log", criLine(3_000));
    folder.file("0.log.20261123-010000.gz", gzipSync(criLines(0, 1_000)).subarray(0, 2_000));
    const gaps: LogGap[] = [];
    const found = await texts(path, { rotated: true, onGap: (gap) => gaps.push(gap) });
    expect(found.length).toBeGreaterThan(10);
    expect(found.at(-1)).toBe("line 3000");
    expect(found[0]).toBe("line 0");
    expect(gaps).toMatchObject([
      { reason: "unreadable", error: { code: "DATA_LOSS" } },
      // The line that the end of the truncated archive splits.
      { reason: "malformed" },
    ]);
  });

  test("are closed by a break during decompression", async () => {
    for await (const _ of readLogFile(rotatedLog(), { rotated: true })) break;
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("include a latest one, which is read as the current file if there is none", async () => {
    folder.file("0.log.20261123-010000", criLine(1, "old"));
    folder.file("0.log.20261123-020000", criLine(2, "latest"));
    expect(await texts(folder.file("0.log"))).toEqual(["latest"]);
    expect(await texts(folder.file("0.log"), { rotated: true })).toEqual(["old", "latest"]);
  });
});

describe("options", () => {
  test.each([
    ["since", { since: "yesterday" }],
    ["since", { since: new Date(Number.NaN) }],
    ["until", { until: 5 as unknown as Date }],
    ["tailLines", { tailLines: -1 }],
    ["tailLines", { tailLines: 1.5 }],
    ["limitBytes", { limitBytes: Number.NaN }],
    ["maxLineBytes", { maxLineBytes: 3 }],
    ["pollIntervalMs", { pollIntervalMs: 0 }],
    ["streams", { streams: [] }],
    ["streams", { streams: ["stdin" as "stdout"] }],
    ["partial", { partial: "no" as "join" }],
    ["since", { format: "raw" as const, since: new Date() }],
    ["rotated", { format: "raw" as const, rotated: true }],
    ["onGap", { onGap: "x" as never }],
    ["encoding", { encoding: "latin1" as "utf8" }],
  ])("%s is checked before reading", (field, options) => {
    expect(() => readLogFile("/nowhere", options)).toThrow(
      expect.objectContaining({ field, constructor: InvalidInputError }),
    );
  });
});
