import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { LogEntry } from "../../../../src/logs/entry.js";
import { LogMerge } from "../../../../src/resources/logs/log-merge.js";

const entry = (nanoseconds: number, text: string, zone = "Z"): LogEntry => ({
  timestamp: `2026-11-23T06:00:00.${String(nanoseconds).padStart(9, "0")}${zone}`,
  stream: "stdout",
  partial: false,
  text,
  position: "",
});

async function* of(...batches: LogEntry[][]): AsyncGenerator<LogEntry[]> {
  yield* batches;
}

async function all(merge: LogMerge<LogEntry, object>): Promise<string[]> {
  const texts: string[] = [];
  while (merge.size > 0) for (const { text } of await merge.next()) texts.push(text);
  return texts;
}

const newMerge = () => new LogMerge<LogEntry, object>(50, new AbortController().signal);

function add(merge: LogMerge<LogEntry, object>, batches: AsyncIterable<LogEntry[]>, isWaiting = false): void {
  const open = (onWait: () => void) => {
    if (isWaiting) onWait();
    return batches;
  };
  merge.add(open, {}, (error) => {
    throw error;
  });
}

describe("logs that end", () => {
  test("returns entries in the order of their timestamps, whatever their batches", async () => {
    const log = fc.array(fc.array(fc.integer({ min: 0, max: 999_999_999 }), { minLength: 1, maxLength: 5 }), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(log, { minLength: 1, maxLength: 4 }), async (logs) => {
        const merge = newMerge();
        const expected: number[] = [];
        for (const batches of logs) {
          const sorted = batches.flat().sort((a, b) => a - b);
          expected.push(...sorted);
          add(merge, of(...batches.map((batch) => sorted.splice(0, batch.length).map((at) => entry(at, String(at))))));
        }
        expect((await all(merge)).map(Number)).toEqual(expected.sort((a, b) => a - b));
      }),
      { numRuns: 100 },
    );
  });

  test("returns entries with equal timestamps in the order of the logs, whichever was read first", async () => {
    async function* late() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield [entry(1, "a1"), entry(2, "a2")];
    }
    const merge = newMerge();
    add(merge, late());
    add(merge, of([entry(1, "b1"), entry(2, "b2", "+00:00")]));
    expect(await all(merge)).toEqual(["a1", "b1", "a2", "b2"]);
  });

  test("compares timestamps across time zones, and keeps the order of one log", async () => {
    const merge = newMerge();
    add(merge, of([entry(5, "b", "+00:00"), entry(5, "c", "+00:00")]));
    add(merge, of([entry(3, "a"), entry(9, "d")]));
    expect(await all(merge)).toEqual(["a", "b", "c", "d"]);
  });

  test("rejects with the first error", async () => {
    const merge = newMerge();
    add(merge, of([entry(1, "a")]));
    add(
      merge,
      // biome-ignore lint/correctness/useYield: it fails before its first entry
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

  test("holds an entry back for an earlier one of another log, but not longer than the window", async () => {
    const controller = new AbortController();
    const merge = new LogMerge<LogEntry, object>(1_000, controller.signal);
    let put = (_: LogEntry) => {};
    const first = now("first");
    const waiting = async function* (onWait: () => void) {
      onWait();
      yield [
        await new Promise<LogEntry>((resolve) => {
          put = resolve;
        }),
      ];
      onWait();
      await new Promise(() => {});
    };
    merge.add(waiting, {}, () => {});
    await new Promise((resolve) => setTimeout(resolve, 5));
    add(merge, of([now("second")]));
    setTimeout(() => put(first), 20);
    const texts: string[] = [];
    while (texts.length < 2) for (const { text } of await merge.next()) texts.push(text);
    expect(texts).toEqual(["first", "second"]);
    controller.abort(new Error("enough"));
    await expect(merge.next()).rejects.toThrow("enough");
  });

  test.each([-60_000, 60_000])("measures the window by this machine's clock: timestamps %d ms off", async (offMs) => {
    const withOffset = (text: string, laterMs: number) => ({
      ...entry(0, text),
      timestamp: new Date(Date.now() + offMs + laterMs).toISOString().replace("Z", "000000Z"),
    });
    const merge = new LogMerge<LogEntry, object>(300, new AbortController().signal);
    const put: ((entry: LogEntry) => void)[] = [];
    for (const index of [0, 1]) {
      const log = async function* (onWait: () => void) {
        onWait();
        yield [await new Promise<LogEntry>((resolve) => (put[index] = resolve))];
        onWait();
        await new Promise(() => {});
      };
      merge.add(log, {}, () => {});
    }
    const [first, second] = [withOffset("first", 0), withOffset("second", 1)];
    const startedAt = performance.now();
    put[1]?.(second);
    setTimeout(() => put[0]?.(first), 50);
    const texts: string[] = [];
    while (texts.length < 2) for (const { text } of await merge.next()) texts.push(text);
    expect(texts).toEqual(["first", "second"]);
    // The window ends by this machine's clock, and not when that clock reaches the timestamps.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  test("wakes once for a line that no earlier one can precede", async () => {
    const started = vi.spyOn(globalThis, "setTimeout");
    onTestFinished(() => started.mockRestore());
    const merge = new LogMerge<LogEntry, object>(300, new AbortController().signal);
    const put: ((entry: LogEntry) => void)[] = [];
    for (let index = 0; index < 20; index++) {
      const log = async function* (onWait: () => void) {
        onWait();
        yield [await new Promise<LogEntry>((resolve) => (put[index] = resolve))];
        onWait();
        await new Promise(() => {});
      };
      merge.add(log, {}, () => {});
    }
    expect(await merge.next()).toEqual([]); // after the logs were added
    const found = merge.next();
    await new Promise(setImmediate);
    expect(started).not.toHaveBeenCalled();
    put[3]?.(now("a"));
    expect(await found).toHaveLength(1);
    expect(started).toHaveBeenCalledTimes(1);
  });

  test("returns no entry before a log that is still being read, however slow it is", async () => {
    const merge = new LogMerge<LogEntry, object>(20, new AbortController().signal);
    add(
      merge,
      (async function* () {
        await new Promise((resolve) => setTimeout(resolve, 300));
        yield [entry(1, "slow")];
      })(),
    );
    add(merge, of([entry(2, "fast")]));
    expect(await all(merge)).toEqual(["slow", "fast"]);
  });

  test("continues with the other logs if onError handles the error of one", async () => {
    const merge = newMerge();
    const missed: unknown[] = [];
    const broken = async function* (): AsyncGenerator<LogEntry[]> {
      yield [entry(1, "a")];
      throw new Error("unreadable");
    };
    merge.add(broken, {}, (error) => missed.push(error));
    add(merge, of([entry(2, "b")]));
    expect(await all(merge)).toEqual(["a", "b"]);
    expect(missed).toEqual([new Error("unreadable")]);
  });

  test("merges 200 logs with 100,000 lines", async () => {
    const merge = newMerge();
    for (let log = 0; log < 200; log++) {
      add(merge, of(Array.from({ length: 500 }, (_, index) => entry(index * 200 + log, String(index * 200 + log)))));
    }
    const texts = await all(merge);
    expect(texts.every((text, index) => Number(text) === index)).toBe(true);
    expect(texts).toHaveLength(100_000);
  });

  test("returns a backlog without delay while another log waits for lines", async () => {
    const merge = new LogMerge<LogEntry, object>(50, new AbortController().signal);
    add(
      merge,
      (async function* () {
        await new Promise(() => {});
      })(),
      true,
    );
    const batches = Array.from({ length: 200 }, (_, index) => [entry(index, String(index))]);
    add(merge, of(...batches));
    const startedAt = performance.now();
    let count = 0;
    while (count < 200) count += (await merge.next()).length;
    // Far less than 200 windows of 50 ms.
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
