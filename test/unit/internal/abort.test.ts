import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { linkAbort, onAbort, untilAborted } from "../../../src/internal/abort.js";

describe("onAbort", () => {
  test("has one listener for any number of callbacks, and none without callbacks", () => {
    const controller = new AbortController();
    const callback = () => {};
    const removers = Array.from({ length: 100 }, () => onAbort(controller.signal, callback));
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(1);
    for (const remove of removers) remove();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
    removers[0]?.();
    onAbort(controller.signal, callback)();
    expect(getEventListeners(controller.signal, "abort")).toHaveLength(0);
  });

  test("calls each callback once, including callbacks that remove others", () => {
    const controller = new AbortController();
    const called: string[] = [];
    onAbort(controller.signal, () => called.push("first"));
    onAbort(controller.signal, () => called.push("second"));
    onAbort(controller.signal, () => called.push("removed"))();
    controller.abort();
    expect(called).toEqual(["first", "second"]);
  });
});

describe("untilAborted", () => {
  test("settles like the promise, and leaks no listener", async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve(1), undefined)).toBe(1);
    expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(untilAborted(Promise.reject(new Error("no")), signal)).rejects.toThrow("no");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  test("rejects with the reason of the signal when it aborts", async () => {
    const controller = new AbortController();
    const waiting = untilAborted(new Promise(() => {}), controller.signal);
    controller.abort("enough");
    await expect(waiting).rejects.toBe("enough");
    await expect(untilAborted(new Promise(() => {}), controller.signal)).rejects.toBe("enough");
  });
});

describe("linkAbort", () => {
  test("aborts with the reason of the first parent that aborts", () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const link = linkAbort(first.signal, undefined, second.signal);
    second.abort("second");
    first.abort("first");
    expect(link.signal.reason).toBe("second");
  });

  test("is aborted from the start if a parent is", () => {
    expect(linkAbort(AbortSignal.abort("gone")).signal.reason).toBe("gone");
  });

  test("leaks no listener on its parents after unlink, after an abort, or if one was already aborted", () => {
    const parent = new AbortController();
    linkAbort(parent.signal).unlink();
    linkAbort(parent.signal, AbortSignal.abort());
    const other = new AbortController();
    linkAbort(parent.signal, other.signal);
    other.abort();
    expect(getEventListeners(parent.signal, "abort")).toHaveLength(0);
  });

  test("can be aborted by its owner without affecting the parent", () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);
    link.abort("mine");
    expect(link.signal.reason).toBe("mine");
    expect(parent.signal.aborted).toBe(false);
    link.unlink();
  });

  test("reuses its signal for the next link unless it was aborted, and only once", () => {
    const parent = new AbortController();
    const first = linkAbort(parent.signal);
    first.recycle();
    expect(getEventListeners(parent.signal, "abort")).toHaveLength(0);
    const second = linkAbort(parent.signal);
    const third = linkAbort(parent.signal);
    expect(second.signal).toBe(first.signal);
    expect(third.signal).not.toBe(first.signal);
    second.abort("over");
    second.recycle();
    third.unlink();
    const fourth = linkAbort(parent.signal);
    expect(fourth.signal.aborted).toBe(false);
    fourth.unlink();
  });
});
