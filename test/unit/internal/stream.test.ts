import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { CriStream } from "../../../src/internal/stream.js";
import { sleep } from "../../../src/internal/timer.js";

/** A source that yields the batches, then waits for ever or ends, and remembers whether it is open. */
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
  test("gives items in order, whatever their batches, and is closed at the end", async () => {
    const { state, open } = source([[1, 2], [], [3], [], []]);
    expect(await collect(new CriStream(open))).toEqual([1, 2, 3]);
    expect(state).toEqual({ opened: 1, closed: 1 });
  });

  test("gives batches, never an empty one", async () => {
    const { open } = source([[1, 2], [], [3]]);
    expect(await collect(new CriStream(open).batches())).toEqual([[1, 2], [3]]);
  });

  test("opens nothing before the first item is asked for", async () => {
    const { state, open } = source([[1]]);
    const stream = new CriStream(open);
    stream[Symbol.asyncIterator]();
    await stream.close();
    expect(state.opened).toBe(0);
  });

  test("can be iterated once", async () => {
    const stream = new CriStream(source([[1]]).open);
    await collect(stream);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(
      new TypeError("This stream has been iterated before: it can be read only once."),
    );
    expect(() => stream.batches()).toThrow(TypeError);
  });

  test("passes on what its source throws, once, and is over then", async () => {
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

  test("does not take two questions at a time", async () => {
    const stream = new CriStream(source([], true).open);
    const iterator = stream[Symbol.asyncIterator]();
    const first = iterator.next();
    await expect(iterator.next()).rejects.toThrow("is still being waited for");
    await stream.close();
    expect(await first).toEqual({ done: true, value: undefined });
  });
});

describe("the end of a stream", () => {
  test("break closes the source, in the middle of a batch too", async () => {
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

  test("await using does the same", async () => {
    const { state, open } = source([[1]], true);
    {
      await using stream = new CriStream(open);
      await stream[Symbol.asyncIterator]().next();
    }
    expect(state.closed).toBe(1);
  });

  test("an abort rejects a waiting question with the reason and leaves no listener", async () => {
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

  test("an abort counts between items too, even when more are here", async () => {
    const controller = new AbortController();
    const iterator = new CriStream(source([[1, 2, 3]]).open, controller.signal)[Symbol.asyncIterator]();
    await iterator.next();
    controller.abort("enough");
    await expect(iterator.next()).rejects.toBe("enough");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });

  test("an aborted signal opens nothing", async () => {
    const { state, open } = source([[1]]);
    await expect(collect(new CriStream(open, AbortSignal.abort("before")))).rejects.toBe("before");
    expect(state.opened).toBe(0);
  });

  test("an abort does not wait for a source that does not heed it", async () => {
    const controller = new AbortController();
    const stream = new CriStream(async function* () {
      yield await new Promise<number[]>(() => {});
    }, controller.signal);
    const items = collect(stream);
    await sleep(1);
    controller.abort("enough");
    await expect(items).rejects.toBe("enough");
  });

  test("leaves no listener on a signal that outlives it", async () => {
    const { signal } = new AbortController();
    await collect(new CriStream(source([[1]]).open, signal));
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
