import { describe, expect, test } from "vitest";
import { CriError, type CriErrorCode, NameReservedError } from "../../../../src/errors.js";
import type { Creation, CreationQuirks, Found } from "../../../../src/resources/creation/creation.js";
import { createReconciled } from "../../../../src/resources/creation/reconcile.js";
import type { Budget } from "../../../../src/rpcs/budget.js";

let count = 0;

/** A runtime in miniature: answers of `create` and of `find`, one after the other; the last one stands. */
function scene(
  create: (string | Error | (() => Error | string))[],
  find: (Found | Error | undefined)[] = [undefined],
  budget: Budget = forever(),
  adopt = false,
) {
  const log: string[] = [];
  const take = <T>(list: T[]) => (list.length > 1 ? (list.shift() as T) : (list[0] as T));
  const creation: Creation = {
    what: "pod sandbox default/demo",
    mark: { hash: "h", nonce: `n${count++}` },
    adopt,
    budget,
    mayExist: true,
    quirks: async () => quirks(),
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
      // "mine" stands for this creation's nonce, which the test cannot know.
      if (answer?.mark?.nonce === "mine") return { ...answer, mark: creation.mark };
      return answer;
    },
    remove: async (id) => {
      log.push(`remove ${id}`);
    },
  };
  return { creation, log };
}

function quirks(some: Partial<CreationQuirks> = {}): CreationQuirks {
  return { returnsOlder: false, replaces: false, leavesFailed: false, stalls: false, duplicates: false, ...some };
}

function forever(options: Budget["caller"] = {}): Budget {
  return { caller: options, leftMs: () => undefined, options: () => options, sleep: async () => {} };
}

function failure(code: CriErrorCode, mayHaveTakenEffect = true): CriError {
  return new CriError({ code, message: code, mayHaveTakenEffect, attempts: 1 });
}

const reserved = () => new NameReservedError({ message: "is reserved", holderId: "x" });
const found = (over: Partial<Found> = {}): Found => ({
  id: "old",
  mark: { hash: "h", nonce: "mine" },
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
      expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
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
    expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
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

  test("a repetition has a limit of its own where it may wait for the creation before it", async () => {
    const { creation, log } = scene([failure("UNAVAILABLE"), failure("DEADLINE_EXCEEDED"), reserved(), "new"]);
    creation.mark = { ...creation.mark, hash: "of no other test" };
    const limits: (number | undefined)[] = [];
    const { create } = creation;
    creation.quirks = async () => quirks({ stalls: true });
    creation.create = (options) => {
      limits.push(options.timeoutMs);
      return create(options);
    };
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log.filter((entry) => entry === "create")).toHaveLength(4);
    expect(limits).toEqual([undefined, 1_000, 2_000, 4_000]);
  });

  test("what is under way is waited for, where sending it again could make a second one", async () => {
    const { creation, log } = scene([failure("UNAVAILABLE"), "second"], [undefined, undefined, found()]);
    creation.quirks = async () => quirks({ duplicates: true });
    expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
    expect(log).toEqual(["create", "find", "find", "find"]);
  });

  test("the wreck of this very creation is removed and the creation sent again", async () => {
    const { creation, log } = scene([failure("UNAVAILABLE"), "new"], [found({ id: "wreck", fresh: false })]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "remove wreck", "create"]);
  });

  const theirs = { hash: "h", nonce: "theirs" };

  test.each([
    [
      "made from another configuration",
      { mark: { hash: "x", nonce: "theirs" } },
      /another configuration.*work with it/,
    ],
    ["made from the same one by somebody else", { mark: theirs }, /the same configuration.*adopt: true/],
    [
      "that is somebody else's and not fresh",
      { mark: theirs, fresh: false, state: "SANDBOX_NOTREADY" },
      /SANDBOX_NOTREADY/,
    ],
    ["that nothing of this package made", { mark: undefined }, /another configuration/],
  ])("an object %s is left alone and named", async (_, over, message) => {
    const { creation, log } = scene([reserved()], [found(over)]);
    const error = await createReconciled(creation).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NameReservedError);
    expect(error).toMatchObject({ holderId: "old" });
    expect((error as Error).message).toMatch(message);
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("with adopt, a fresh object of the same configuration is taken over, and nothing else", async () => {
    const good = scene([reserved()], [found({ mark: theirs })], forever(), true);
    expect(await createReconciled(good.creation)).toEqual({ id: "old", adopted: true });
    for (const over of [
      { mark: theirs, fresh: false },
      { mark: { hash: "x", nonce: "theirs" } },
      { mark: undefined },
    ]) {
      const bad = scene([reserved()], [found(over)], forever(), true);
      await expect(createReconciled(bad.creation)).rejects.toBeInstanceOf(NameReservedError);
      expect(bad.log).toEqual(["create", "find"]);
    }
  });

  describe("where a taken name is answered with the id of its holder", () => {
    const older = (scene: { creation: Creation; log: string[] }) => {
      scene.creation.quirks = async () => quirks({ returnsOlder: true });
      return scene;
    };

    test("what was made is looked at, and is its own", async () => {
      const { creation, log } = older(scene(["old"], [found()]));
      expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
      expect(log).toEqual(["create", "find"]);
    });

    test("what somebody else made is refused, or adopted if that is wanted", async () => {
      const refused = older(scene(["old"], [found({ mark: theirs })]));
      const error = await createReconciled(refused.creation).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(NameReservedError);
      expect(error).toMatchObject({ holderId: "old", mayHaveTakenEffect: false });
      const wanted = older(scene(["old"], [found({ mark: theirs })], forever(), true));
      expect(await createReconciled(wanted.creation)).toEqual({ id: "old", adopted: true });
    });

    test("a wreck that a creation left which was given up is removed", async () => {
      const first = scene([failure("UNKNOWN")]);
      await createReconciled(first.creation).catch(() => {});
      const wreck = found({ fresh: false, mark: first.creation.mark });
      const next = older(scene(["old", "new"], [wreck, found({ id: "new" })]));
      expect(await createReconciled(next.creation)).toEqual({ id: "new", adopted: false });
      expect(next.log).toEqual(["create", "find", "remove old", "create", "find"]);
    });

    test("a holder that is gone by then was not what was made: it is sent again", async () => {
      const { creation, log } = older(scene(["gone", "new"], [undefined, found({ id: "new" })]));
      expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
      expect(log).toEqual(["create", "find", "create", "find"]);
    });

    test("without an answer to that look it is in doubt", async () => {
      const { creation } = older(scene(["old"], [failure("PERMISSION_DENIED", false)]));
      await expect(createReconciled(creation)).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        mayHaveTakenEffect: true,
      });
    });
  });

  test("what a creation that was given up in doubt leaves is taken by the next one, or removed if it is of no use", async () => {
    const first = scene([failure("UNAVAILABLE")], [failure("PERMISSION_DENIED")]);
    await expect(createReconciled(first.creation)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const { mark } = first.creation;
    const useless = scene([reserved(), "new"], [found({ mark: { ...mark, hash: "x" } })]);
    expect(await createReconciled(useless.creation)).toEqual({ id: "new", adopted: false });
    expect(useless.log).toEqual(["create", "find", "remove old", "create"]);
    const useful = scene([reserved()], [found({ mark })]);
    expect(await createReconciled(useful.creation)).toEqual({ id: "old", adopted: false });
    // It has an owner now.
    const third = scene([reserved()], [found({ mark })]);
    await expect(createReconciled(third.creation)).rejects.toBeInstanceOf(NameReservedError);
  });

  test("so it is when a step of the reconciling itself runs out of time", async () => {
    let asked = 0;
    const spent: Budget = {
      ...forever(),
      options: () => {
        // The creation, for which it is asked twice, and the look-up; what comes then has no time any more.
        if (++asked > 3) throw failure("DEADLINE_EXCEEDED", false);
        return {};
      },
    };
    const early = scene([failure("UNAVAILABLE")], [found({ fresh: false })], spent);
    await expect(createReconciled(early.creation)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const late = scene([reserved(), "new"], [found({ fresh: false, mark: early.creation.mark }), undefined]);
    expect(await createReconciled(late.creation)).toEqual({ id: "new", adopted: false });
    expect(late.log).toContain("remove old");
  });

  test.each<CriErrorCode>(["UNKNOWN", "RESOURCE_EXHAUSTED", "CLIENT_CLOSED"])(
    "so it is after %s, which is not looked into",
    async (code) => {
      const first = scene([failure(code)]);
      await expect(createReconciled(first.creation)).rejects.toMatchObject({ code, mayHaveTakenEffect: true });
      expect(first.log).toEqual(["create"]);
      const next = scene([reserved()], [found({ mark: first.creation.mark })]);
      expect(await createReconciled(next.creation)).toEqual({ id: "old", adopted: false });
    },
  );

  test("what could not be removed is not taken by the next one, whatever it looks like", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const first = scene([abort], [found()], forever({ signal: controller.signal }));
    first.creation.remove = async () => {
      throw failure("DEADLINE_EXCEEDED");
    };
    await expect(createReconciled(first.creation)).rejects.toThrow("enough");
    const next = scene([reserved(), "new"], [found({ mark: first.creation.mark })]);
    expect(await createReconciled(next.creation)).toEqual({ id: "new", adopted: false });
    expect(next.log).toContain("remove old");
  });

  test("doubt of an early round does not vanish in a later one", async () => {
    const { creation } = scene([failure("UNAVAILABLE"), failure("UNAVAILABLE", false)], [undefined]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
  });

  test("an already aborted signal does nothing", async () => {
    const { creation, log } = scene(["new"], [undefined], forever({ signal: AbortSignal.abort("no") }));
    await expect(createReconciled(creation)).rejects.toBe("no");
    expect(log).toEqual([]);
  });

  test("what an aborted creation has made meanwhile is removed, even if it shows late", async () => {
    const controller = new AbortController();
    const late = found({ id: "late" });
    const abort = () => {
      controller.abort("enough");
      return Object.assign(new Error("enough"), {});
    };
    const { creation, log } = scene([abort], [undefined, late], forever({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log).toEqual(["create", "find", "find", "remove late"]);
  });

  test("so it is when it is aborted in the middle of a look-up, and when the first look for leftovers fails", async () => {
    const controller = new AbortController();
    const { creation, log } = scene([failure("UNAVAILABLE")], [found()], forever({ signal: controller.signal }));
    const { find } = creation;
    let looks = 0;
    creation.find = async (options) => {
      looks++;
      if (looks === 1) controller.abort("enough");
      if (looks <= 2) throw failure("UNAVAILABLE", false);
      return find(options);
    };
    await expect(createReconciled(creation)).rejects.toBe("enough");
    expect(log).toEqual(["create", "find", "remove old"]);
  });

  test("looking for leftovers and removing them goes out with the caller's metadata", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const metadata = { authorization: "me" };
    const { creation } = scene([abort], [found()], forever({ signal: controller.signal, metadata }));
    const seen: unknown[] = [];
    const { find, remove } = creation;
    creation.find = (options) => {
      seen.push(options.metadata);
      return find(options);
    };
    creation.remove = (id, options) => {
      seen.push(options.metadata);
      return remove(id, options);
    };
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(seen).toEqual([metadata, metadata]);
  });

  test("somebody else's object survives an aborted creation", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const { creation, log } = scene([abort], [found({ mark: theirs })], forever({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("a spent budget ends it, after a look for leftovers", async () => {
    let left = 1_000;
    const spend = () => {
      left = 0;
      return failure("DEADLINE_EXCEEDED");
    };
    const budget = { ...forever(), leftMs: () => left };
    const leftover = found({ id: "leftover" });
    const { creation, log } = scene([spend], [leftover], budget);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(log).toEqual(["create", "find", "remove leftover"]);
  });

  test("an answer that comes when time is up is no success: the runtime, whose deadline it was too, may tell of a wreck", async () => {
    let left = 1_000;
    const late = () => {
      left = -1;
      return "late";
    };
    const budget = { ...forever(), leftMs: () => left };
    const { creation, log } = scene([late], [found({ id: "late", fresh: false })], budget);
    await expect(createReconciled(creation)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      mayHaveTakenEffect: true,
    });
    expect(log).toEqual(["create", "find", "remove late"]);
  });
});

describe("a runtime that replaces what has the name", () => {
  const replacing = (held: Found | undefined) => {
    const { creation, log } = scene(["new"], [held]);
    creation.quirks = async () => quirks({ replaces: true });
    return { creation, log };
  };

  test("is asked for the name first, and a name that is taken is refused", async () => {
    const { creation, log } = replacing(found({ mark: undefined }));
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "NAME_RESERVED", holderId: "old" });
    expect(log).toEqual(["find"]);
  });

  test("creates under a name that is free", async () => {
    const { creation, log } = replacing(undefined);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["find", "create"]);
  });
});

describe("a runtime that leaves something of a failed creation", () => {
  const failing = (left: Found) => {
    const { creation, log } = scene([failure("UNKNOWN")], [left]);
    creation.quirks = async () => quirks({ leavesFailed: true });
    return { creation, log };
  };

  test("has it removed", async () => {
    const { creation, log } = failing(found());
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).toEqual(["create", "find", "remove old"]);
  });

  test("keeps what another creation made", async () => {
    const { creation, log } = failing(found({ mark: { hash: "h", nonce: "another" } }));
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).not.toContain("remove old");
  });

  test("fails with the error of the creation if it cannot be asked", async () => {
    const { creation, log } = failing(found());
    let questions = 0;
    creation.quirks = async () => {
      if (++questions > 1) throw failure("UNAVAILABLE");
      return quirks();
    };
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).toEqual(["create"]);
  });
});
