import { describe, expect, test } from "vitest";
import type { Budget } from "../../../src/calls/budget.js";
import { CriError, type CriErrorCode, NameReservedError } from "../../../src/errors.js";
import { type Creation, createReconciled, type Found } from "../../../src/resources/reconcile.js";

/** A runtime in miniature: answers of `create` and of `find`, one after the other; the last one stands. */
function scene(
  create: (string | Error | (() => Error | string))[],
  find: (Found | Error | undefined)[] = [undefined],
  budget: Budget = forever(),
) {
  const log: string[] = [];
  const take = <T>(list: T[]) => (list.length > 1 ? (list.shift() as T) : (list[0] as T));
  const creation: Creation = {
    what: "pod sandbox default/demo",
    budget,
    create: async () => {
      log.push("create");
      const next = take(create);
      const answer = typeof next === "function" ? next() : next;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    find: async () => {
      log.push("find");
      const answer = take(find);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    remove: async (id) => {
      log.push(`remove ${id}`);
    },
  };
  return { creation, log };
}

function forever(options: { signal?: AbortSignal } = {}): Budget {
  return { leftMs: () => undefined, options: () => options };
}

function failure(code: CriErrorCode, mayHaveTakenEffect = true): CriError {
  return new CriError({ code, message: code, mayHaveTakenEffect, attempts: 1 });
}

const reserved = () => new NameReservedError({ message: "is reserved", holderId: "x" });
const found = (over: Partial<Found> = {}): Found => ({
  id: "old",
  createdAt: new Date(1_000),
  sameConfig: true,
  fresh: true,
  state: "SANDBOX_READY",
  ...over,
});

describe("createReconciled", () => {
  test("an answer that arrives needs no look-up", async () => {
    const { creation, log } = scene(["new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create"]);
  });

  test("a refusal stands, and nothing is looked for", async () => {
    const { creation, log } = scene([failure("INVALID_ARGUMENT", false)]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(log).toEqual(["create"]);
  });

  test("UNAVAILABLE that never left this side is not looked into", async () => {
    const { creation, log } = scene([failure("UNAVAILABLE", false)]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(log).toEqual(["create"]);
  });

  test.each<CriErrorCode>(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "CANCELLED", "INVALID_RESPONSE"])(
    "after %s the object that was made is adopted",
    async (code) => {
      const { creation, log } = scene([failure(code)], [found()]);
      expect(await createReconciled(creation)).toEqual({ id: "old", adopted: true });
      expect(log).toEqual(["create", "find"]);
    },
  );

  test("after UNAVAILABLE with nothing made, the creation is sent again", async () => {
    const { creation, log } = scene([failure("UNAVAILABLE"), "new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "create"]);
  });

  test("the look-up waits for a runtime that is away", async () => {
    const { creation, log } = scene(
      [failure("UNAVAILABLE")],
      [failure("UNAVAILABLE", false), failure("UNAVAILABLE", false), found()],
    );
    expect(await createReconciled(creation)).toEqual({ id: "old", adopted: true });
    expect(log).toEqual(["create", "find", "find", "find"]);
  });

  test("a look-up that fails otherwise leaves the first failure standing", async () => {
    const { creation } = scene([failure("UNAVAILABLE")], [failure("PERMISSION_DENIED")]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
  });

  test("a taken name with nothing listed is waited for", async () => {
    const { creation, log } = scene([reserved(), reserved(), "new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "create", "find", "create"]);
  });

  test("the wreck of this very creation is removed and the creation sent again", async () => {
    const wreck = found({ id: "wreck", fresh: false, createdAt: new Date(Date.now() + 1_000) });
    const { creation, log } = scene([failure("UNAVAILABLE"), "new"], [wreck]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "remove wreck", "create"]);
  });

  test.each([
    ["made from another configuration", { sameConfig: false }, /another configuration/],
    ["older and not fresh", { fresh: false, state: "SANDBOX_NOTREADY" }, /SANDBOX_NOTREADY, made from the same/],
  ])("an object %s is left alone and named", async (_, over, message) => {
    const { creation, log } = scene([reserved()], [found(over)]);
    const error = await createReconciled(creation).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NameReservedError);
    expect(error).toMatchObject({ holderId: "old" });
    expect((error as Error).message).toMatch(message);
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("an already aborted signal does nothing", async () => {
    const { creation, log } = scene(["new"], [undefined], forever({ signal: AbortSignal.abort("no") }));
    await expect(createReconciled(creation)).rejects.toBe("no");
    expect(log).toEqual([]);
  });

  test("what an aborted creation has made meanwhile is removed, even if it shows late", async () => {
    const controller = new AbortController();
    const late = found({ id: "late", createdAt: new Date(Date.now() + 1_000) });
    const abort = () => {
      controller.abort("enough");
      return Object.assign(new Error("enough"), {});
    };
    const { creation, log } = scene([abort], [undefined, late], forever({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log).toEqual(["create", "find", "find", "remove late"]);
  });

  test("an older object of the same configuration survives an aborted creation", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const { creation, log } = scene([abort], [found()], forever({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("a spent budget ends it, after a look for leftovers", async () => {
    let left = 1_000;
    const spend = () => {
      left = 0;
      return failure("DEADLINE_EXCEEDED");
    };
    const budget: Budget = { leftMs: () => left, options: () => ({ timeoutMs: left }) };
    const leftover = found({ id: "leftover", createdAt: new Date(Date.now() + 1_000) });
    const { creation, log } = scene([spend], [leftover], budget);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(log).toEqual(["create", "find", "remove leftover"]);
  });
});
