import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { linkAbort } from "../../../src/internal/abort.js";

describe("linkAbort", () => {
  test("passes the reason of whichever parent aborts first on", () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const link = linkAbort(first.signal, undefined, second.signal);
    second.abort("second");
    first.abort("first");
    expect(link.signal.reason).toBe("second");
  });

  test("is aborted from the start when a parent is", () => {
    expect(linkAbort(AbortSignal.abort("gone")).signal.reason).toBe("gone");
  });

  test("leaves no listener on its parents: after unlink, after abort, and when one was aborted already", () => {
    const parent = new AbortController();
    linkAbort(parent.signal).unlink();
    linkAbort(parent.signal, AbortSignal.abort());
    const other = new AbortController();
    linkAbort(parent.signal, other.signal);
    other.abort();
    expect(getEventListeners(parent.signal, "abort")).toHaveLength(0);
  });

  test("can be aborted by its owner without touching the parent", () => {
    const parent = new AbortController();
    const link = linkAbort(parent.signal);
    link.abort("mine");
    expect(link.signal.reason).toBe("mine");
    expect(parent.signal.aborted).toBe(false);
    link.unlink();
  });
});
