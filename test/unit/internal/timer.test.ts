import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sleep, startTimer, waitAtMost } from "../../../src/internal/timer.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("startTimer", () => {
  test("fires after delays that setTimeout does not support", () => {
    const fired = vi.fn();
    const fortyDaysMs = 40 * 24 * 3_600_000;
    startTimer(fortyDaysMs, fired);
    vi.advanceTimersByTime(fortyDaysMs - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("can be stopped", () => {
    const fired = vi.fn();
    startTimer(10, fired)();
    vi.advanceTimersByTime(20);
    expect(fired).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("sleep", () => {
  test("rejects with the signal's reason at once and leaks neither timer nor listener", async () => {
    const controller = new AbortController();
    const sleeping = sleep(60_000, controller.signal);
    controller.abort(new Error("enough"));
    await expect(sleeping).rejects.toThrow("enough");
    expect(vi.getTimerCount()).toBe(0);
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("starts no timer with an aborted signal", async () => {
    await expect(sleep(1, AbortSignal.abort("no"))).rejects.toBe("no");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("resolves on time and removes its listener", async () => {
    const controller = new AbortController();
    const sleeping = sleep(50, controller.signal);
    vi.advanceTimersByTime(50);
    await sleeping;
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });
});

describe("waitAtMost", () => {
  test("resolves after the delay if the promise is pending", async () => {
    const waiting = waitAtMost(50, new Promise(() => {}));
    vi.advanceTimersByTime(50);
    await waiting;
  });

  test("settles with the promise, and leaves no timer", async () => {
    await waitAtMost(50, Promise.resolve("value"));
    await expect(waitAtMost(50, Promise.reject("reason"))).rejects.toBe("reason");
    expect(vi.getTimerCount()).toBe(0);
  });
});
