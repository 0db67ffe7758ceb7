import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogEntry } from "../../../../src/logs/entry.js";
import { LogMerge } from "../../../../src/resources/logs/merge.js";

const entry = (nanoseconds: number, text: string, zone = "Z"): LogEntry => ({
  timestamp: `2026-11-23T06:00:00.${String(nanoseconds).padStart(9, "0")}${zone}`,
  stream: "stdout",
  partial: false,
  text,
});

async function* of(...batches: LogEntry[][]): AsyncGenerator<LogEntry[]> {
  yield* batches;
}

async function all(merge: LogMerge<LogEntry>): Promise<string[]> {
  const texts: string[] = [];
  while (merge.size > 0) for (const { text } of await merge.next(1_000)) texts.push(text);
  return texts;
}

const patient = () => new LogMerge<LogEntry>(Number.POSITIVE_INFINITY, new AbortController().signal);

describe("logs that end", () => {
  test("come out in the order of time, whatever their batches", async () => {
    const log = fc.array(fc.array(fc.integer({ min: 0, max: 999_999_999 }), { minLength: 1, maxLength: 5 }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(log, { minLength: 1, maxLength: 4 }), async (logs) => {
        const merge = patient();
        const expected: number[] = [];
        for (const batches of logs) {
          const sorted = batches.flat().sort((a, b) => a - b);
          expected.push(...sorted);
          merge.add(of(...batches.map((batch) => sorted.splice(0, batch.length).map((at) => entry(at, String(at))))));
        }
        expect((await all(merge)).map(Number)).toEqual(expected.sort((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });

  test("compare by time across zones, and keep the order of one log", async () => {
    const merge = patient();
    merge.add(of([entry(5, "b", "+00:00"), entry(5, "c", "+00:00")]));
    merge.add(of([entry(3, "a"), entry(9, "d")]));
    expect(await all(merge)).toEqual(["a", "b", "c", "d"]);
  });

  test("fail as the first that fails", async () => {
    const merge = patient();
    merge.add(of([entry(1, "a")]));
    merge.add(
      // biome-ignore lint/correctness/useYield: it fails before it has anything
      (async function* () {
        throw new Error("unreadable");
      })(),
    );
    await expect(all(merge)).rejects.toThrow("unreadable");
  });
});

describe("logs that are followed", () => {
  const now = (text: string): LogEntry => ({
    ...entry(0, text),
    timestamp: new Date().toISOString().replace("Z", "000000Z"),
  });

  test("an entry waits for an earlier one from another log, but not longer than the window", async () => {
    const controller = new AbortController();
    const merge = new LogMerge<LogEntry>(80, controller.signal);
    let put = (_: LogEntry) => {};
    const first = now("first");
    merge.add(
      (async function* () {
        yield [
          await new Promise<LogEntry>((resolve) => {
            put = resolve;
          }),
        ];
        await new Promise(() => {});
      })(),
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
    merge.add(of([now("second")]));
    setTimeout(() => put(first), 20);
    const texts: string[] = [];
    while (texts.length < 2) for (const { text } of await merge.next(1_000)) texts.push(text);
    expect(texts).toEqual(["first", "second"]);
    controller.abort(new Error("enough"));
    await expect(merge.next(1_000)).rejects.toThrow("enough");
  });

  test("a backlog does not wait for a log that has nothing to say", async () => {
    const merge = new LogMerge<LogEntry>(50, new AbortController().signal);
    merge.add(
      (async function* () {
        await new Promise(() => {});
      })(),
    );
    const batches = Array.from({ length: 200 }, (_, index) => [entry(index, String(index))]);
    merge.add(of(...batches));
    const startedAt = performance.now();
    let count = 0;
    while (count < 200) count += (await merge.next(1_000)).length;
    // Not 200 windows.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
