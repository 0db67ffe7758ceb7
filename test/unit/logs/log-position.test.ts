import { renameSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import type { LogEntry } from "../../../src/logs/entry.js";
import type { LogGap } from "../../../src/logs/log-gap.js";
import { readLogFile } from "../../../src/logs/read-log-file.js";
import type { ReadLogOptions } from "../../../src/logs/read-options.js";
import { thorough } from "../../support/thorough.js";
import { documents } from "./documents.js";
import { criLine, criLines, openBelow, temporaryFolder } from "./support.js";

const folder = temporaryFolder();

async function entries(path: string, options: ReadLogOptions = {}): Promise<LogEntry[]> {
  const found: LogEntry[] = [];
  for await (const entry of readLogFile(path, { ...options, encoding: "utf8" })) found.push(entry);
  return found;
}

const textsOf = (found: readonly LogEntry[]) => found.map(({ text }) => text);
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);

/** A log of 30 lines in three files, and the position of every entry. */
async function threeFiles() {
  const path = folder.file("0.log", criLines(20, 30));
  folder.file("0.log.20261123-010000.gz", gzipSync(criLines(0, 10)));
  folder.file("0.log.20261123-020000", criLines(10, 20));
  const all = await entries(path, { rotated: true });
  expect(textsOf(all)).toEqual(numbers(0, 30));
  return { path, positions: all.map(({ position }) => position) };
}

describe("after", () => {
  test("continues after the entry, in every file", async () => {
    const { path, positions } = await threeFiles();
    await Promise.all(
      positions.map(async (after, index) =>
        expect(textsOf(await entries(path, { after }))).toEqual(numbers(index + 1, 30)),
      ),
    );
    expect(openBelow(folder.path)).toEqual([]);
  });

  test("positions are short, unique and independent of the options", async () => {
    const { path, positions } = await threeFiles();
    expect(new Set(positions).size).toBe(30);
    expect(Math.max(...positions.map(({ length }) => length))).toBeLessThan(40);
    const tail = await entries(path, { rotated: true, tailLines: 15 });
    expect(tail.map(({ position }) => position)).toEqual(positions.slice(15));
    const bytes: string[] = [];
    for await (const { position } of readLogFile(path, { encoding: "buffer" })) bytes.push(position);
    expect(bytes).toEqual(positions.slice(20));
  });

  test("finds files that were compressed, or renamed to any name, since then", async () => {
    const { path, positions } = await threeFiles();
    rmSync(folder.file("0.log.20261123-010000.gz"));
    folder.file("0.log.3.gz", gzipSync(criLines(0, 10)));
    rmSync(folder.file("0.log.20261123-020000"));
    folder.file("0.log-20261123.gz", gzipSync(criLines(10, 20)));
    renameSync(path, folder.file("0.log.1"));
    writeFileSync(path, criLines(30, 35));
    await Promise.all(
      [0, 4, 9, 10, 14, 19, 20, 29].map(async (index) =>
        expect(textsOf(await entries(path, { after: positions[index] }))).toEqual(numbers(index + 1, 35)),
      ),
    );
  });

  test("reports a removed file, and starts with the next newer one", async () => {
    const { path, positions } = await threeFiles();
    rmSync(folder.file("0.log.20261123-010000.gz"));
    const gaps: LogGap[] = [];
    const found = await entries(path, { after: positions[4], onGap: (gap) => gaps.push(gap) });
    expect(textsOf(found)).toEqual(numbers(10, 30));
    expect(gaps).toMatchObject([{ reason: "lost", path }]);
  });

  test("reports a file that was truncated in place, and reads it from its beginning", async () => {
    const { path, positions } = await threeFiles();
    writeFileSync(path, criLines(40, 42));
    const gaps: LogGap[] = [];
    const found = await entries(path, { after: positions[25], onGap: (gap) => gaps.push(gap) });
    expect(textsOf(found)).toEqual(["line 40", "line 41"]);
    expect(gaps).toMatchObject([{ reason: "lost" }]);
  });

  test("works with follow", async () => {
    const { path, positions } = await threeFiles();
    const found = await entries(path, { after: positions[7], follow: true, isRunning: () => false });
    expect(textsOf(found)).toEqual(numbers(8, 30));
  });

  test("reads a line again as a whole if it had no line break", async () => {
    const path = folder.file("0.log", criLine(0) + criLine(1).slice(0, -3));
    const [first, cut] = await entries(path);
    expect(cut).toMatchObject({ partial: true, position: first!.position });
    writeFileSync(path, criLines(0, 3));
    expect(textsOf(await entries(path, { after: cut!.position }))).toEqual(["line 1", "line 2"]);
  });

  test("starts far from the beginning of a large file", async () => {
    const path = folder.file("0.log", criLines(0, 40_000));
    const last = await entries(path, { tailLines: 3 });
    expect(textsOf(last)).toEqual(numbers(39_997, 40_000));
    const resumed = await entries(path, { after: last[0]!.position });
    expect(textsOf(resumed)).toEqual(numbers(39_998, 40_000));
    expect(resumed.map(({ position }) => position)).toEqual(last.slice(1).map(({ position }) => position));
    renameSync(path, `${path}.1`);
    writeFileSync(path, criLine(40_000));
    expect(textsOf(await entries(path, { after: resumed[0]!.position }))).toEqual(numbers(39_999, 40_001));
  });

  test("reads an entry again as a whole if limitBytes cut it off", async () => {
    const path = folder.file("0.log", criLines(0, 3));
    for (const limitBytes of [3, 9, 13]) {
      const cut = (await entries(path, { limitBytes })).at(-1)!;
      expect(cut.partial).toBe(true);
      const complete = Math.floor(limitBytes / 6);
      expect(textsOf(await entries(path, { after: cut.position }))).toEqual(numbers(complete, 3));
    }
  });

  test("repeats no entries before a position when limitBytes cuts off the entry after it", async () => {
    const path = folder.file(
      "0.log",
      criLine(0, "begin ", "stdout", "P") + criLine(1, "error 1", "stderr") + criLine(2, "error 2", "stderr"),
    );
    const [first] = await entries(path);
    expect(first!.text).toBe("error 1");
    const [cut] = await entries(path, { after: first!.position, limitBytes: 3 });
    expect(cut).toMatchObject({ text: "err", position: first!.position });
    expect(textsOf(await entries(path, { after: cut!.position }))).toEqual(["error 2", "begin "]);
  });

  test("reads a line that began in a rotated file as a whole after limitBytes cut off an entry", async () => {
    const path = folder.file("0.log", criLine(1, "error", "stderr") + criLine(2, "end"));
    folder.file("0.log.1", criLine(0, "begin ", "stdout", "P"));
    const [cut] = await entries(path, { rotated: true, limitBytes: 3 });
    expect(cut!.text).toBe("err");
    expect(textsOf(await entries(path, { after: cut!.position }))).toEqual(["error", "begin end"]);
  });

  test("reads all parts of a very long line again until the last one was read", async () => {
    const path = folder.file("0.log", criLine(0) + criLine(1, "x".repeat(10)) + criLine(2));
    const all = await entries(path, { maxLineBytes: 4 });
    expect(textsOf(all)).toEqual(["line", " 0", "xxxx", "xxxx", "xx", "line", " 2"]);
    const textsAfter = async (index: number) =>
      textsOf(await entries(path, { maxLineBytes: 4, after: all[index]!.position }));
    expect(await textsAfter(2)).toEqual(textsOf(all).slice(2));
    expect(await textsAfter(3)).toEqual(textsOf(all).slice(2));
    expect(await textsAfter(4)).toEqual(textsOf(all).slice(5));
  });

  test.each(["join", "separate"] as const)(
    "resumes after any entry, with parts of both streams mixed over two files, also with limitBytes: %s",
    { timeout: 120_000 },
    async (partial) => {
      const file = documents({ utf8: true, clean: true });
      const limit = fc.integer({ min: 1, max: 40 });
      await fc.assert(
        fc.asyncProperty(file, file, limit, fc.nat(), async (older, current, limitBytes, chance) => {
          // Both files need different first lines, and a line must not continue in another file without a line break.
          const path = folder.file("0.log", Buffer.concat([Buffer.from(criLine(900_000, "new")), current]));
          folder.file("0.log.1", Buffer.concat([Buffer.from(criLine(0, "old")), older, Buffer.from("\n")]));
          const all = await entries(path, { rotated: true, partial });
          // A line without a line break is emitted last, and read again.
          const isOpen = ({ partial: more }: LogEntry, index: number) =>
            more && (partial === "join" || (index === all.length - 1 && current.at(-1) !== 0x0a && current.length > 0));
          const firstOpen = all.findIndex(isOpen);
          const nextIndex = (index: number) => (firstOpen >= 0 && index >= firstOpen ? firstOpen : index + 1);
          // Resumes about a dozen reads at the same time, because each waits for late lines of the rotated file.
          const step = Math.ceil(all.length / 12);
          await Promise.all(
            all.map(async ({ position }, index) => {
              if ((index + chance) % step !== 0) return;
              const next = nextIndex(index);
              expect(textsOf(await entries(path, { after: position, partial }))).toEqual(textsOf(all.slice(next)));
              const limited = await entries(path, { after: position, partial, limitBytes });
              const last = limited.at(-1);
              if (!last) return;
              const lastIndex = next + limited.length - 1;
              // An entry that the limit cuts off is read again.
              const rest = nextIndex(last.text === all[lastIndex]!.text ? lastIndex : lastIndex - 1);
              expect(textsOf(await entries(path, { after: last.position, partial }))).toEqual(textsOf(all.slice(rest)));
            }),
          );
        }),
        { numRuns: thorough ? 100 : 5 },
      );
    },
  );

  test.each(["", "1", "1.abc.5", "2.tgxq1f0000aa.abcdefgh.10", "1.tgxq1f0000aa.abcdefgh.-1", 7 as never])(
    "refuses %j before reading",
    (after) => {
      const read = () => readLogFile("/nonexistent", { after });
      expect(read).toThrow(InvalidInputError);
      expect(read).toThrow(/after: must be the `position` of a log entry/);
    },
  );

  test("is refused together with tailLines", async () => {
    const { path, positions } = await threeFiles();
    expect(() => readLogFile(path, { after: positions[0], tailLines: 3 })).toThrow(
      /tailLines: cannot be combined with after/,
    );
  });
});
