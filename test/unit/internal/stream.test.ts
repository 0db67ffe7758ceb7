import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { CriStream } from "../../../src/internal/stream.js";
import { sleep } from "../../../src/internal/timer.js";

/** Creates a source that yields the batches, and then ends or waits forever. It records whether it is open. */
function source(batches: readonly (readonly number[])[], waits = false) {
  const state = { opened: 0, closed: 0 };
  const open = async function* (signal: AbortSignal) {
    state.opened++;
    try {
      yield* batches;
      if (waits) await sleep(60_000, signal);
    } finally {
      state.closed++;
    }
  };
  return { state, open };
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe("a stream", () => {
  test("yields items of all batches in order, and closes its source at the end", async () => {
    const { state, open } = source([[1, 2], [], [3], [], []]);
    expect(await collect(new CriStream(open))).toEqual([1, 2, 3]);
    expect(state).toEqual({ opened: 1, closed: 1 });
  });

  test("yields batches, never an empty one", async () => {
    const { open } = source([[1, 2], [], [3]]);
    expect(await collect(new CriStream(open).batches())).toEqual([[1, 2], [3]]);
  });

  test("opens its source on the first read", async () => {
    const { state, open } = source([[1]]);
    const stream = new CriStream(open);
    stream[Symbol.asyncIterator]();
    await stream.close();
    expect(state.opened).toBe(0);
  });

  test("can be iterated only once", async () => {
    const stream = new CriStream(source([[1]]).open);
    await collect(stream);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(
      new TypeError("This stream has been iterated before: it can be read only once."),
    );
    expect(() => stream.batches()).toThrow(TypeError);
  });

  test("passes on an error of its source once, and then ends", async () => {
    const failure = new Error("no");
    const stream = new CriStream(async function* () {
      yield [1];
      throw failure;
    });
    const iterator = stream[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ done: false, value: 1 });
    await expect(iterator.next()).rejects.toBe(failure);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("refuses a second concurrent read", async () => {
    const stream = new CriStream(source([], true).open);
    const iterator = stream[Symbol.asyncIterator]();
    const first = iterator.next();
    await expect(iterator.next()).rejects.toThrow("The previous read of this stream has not finished");
    await stream.close();
    expect(await first).toEqual({ done: true, value: undefined });
  });
});

describe("the end of a stream", () => {
  test("break closes the source, also within a batch", async () => {
    const { state, open } = source([[1, 2, 3]], true);
    for await (const item of new CriStream(open)) if (item === 2) break;
    expect(state).toEqual({ opened: 1, closed: 1 });
  });

  test("close ends a loop that waits for an item", async () => {
    const { state, open } = source([[1]], true);
    const stream = new CriStream(open);
    const items = collect(stream);
    await sleep(5);
    await stream.close();
    expect(state.closed).toBe(1);
    expect(await items).toEqual([1]);
    await stream.close();
  });

  test("await using closes the source", async () => {
    const { state, open } = source([[1]], true);
    {
      await using stream = new CriStream(open);
      await stream[Symbol.asyncIterator]().next();
    }
    expect(state.closed).toBe(1);
  });

  test("an abort rejects a pending read with the reason and leaks no listener", async () => {
    const { state, open } = source([[1]], true);
    const controller = new AbortController();
    const stream = new CriStream(open, controller.signal);
    const items = collect(stream);
    await sleep(5);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(items).rejects.toBe(reason);
    await stream.close();
    expect(state.closed).toBe(1);
    expect(getEventListeners(controller.signal, "abort")).toEqual([]);
  });

  test("an abort takes effect between items, even if more have arrived", async () => {
    const controller = new AbortController();
    const iterator = new CriStream(source([[1, 2, 3]]).open, controller.signal)[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort("enough");
    await expect(iterator.next()).rejects.toBe("enough");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("an aborted signal does not open the source", async () => {
    const { state, open } = source([[1]]);
    await expect(collect(new CriStream(open, AbortSignal.abort("before")))).rejects.toBe("before");
    expect(state.opened).toBe(0);
  });

  test("an abort does not wait for a source that ignores it", async () => {
    const controller = new AbortController();
    const stream = new CriStream(async function* () {
      yield await new Promise<number[]>(() => {});
    }, controller.signal);
    const items = collect(stream);
    await sleep(1);
    controller.abort("enough");
    await expect(items).rejects.toBe("enough");
  });

  test("leaks no listener on a long-lived signal", async () => {
    const { signal } = new AbortController();
    await collect(new CriStream(source([[1]]).open, signal));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
