import { describe, expect, test } from "vitest";
import { CriError, type CriErrorCode, NameReservedError } from "../../../../src/errors.js";
import type { Creation, CreationQuirks, Found } from "../../../../src/resources/creation/creation.js";
import { createReconciled } from "../../../../src/resources/creation/reconcile.js";
import type { Budget } from "../../../../src/rpcs/budget.js";

let count = 0;

/**
 * Returns a creation with scripted replies of `create` and `find`, and the log of its calls. The last reply of each is repeated.
 */
function scripted(
  create: (string | Error | (() => Error | string))[],
  find: (Found | Error | undefined)[] = [undefined],
  budget: Budget = noLimit(),
  adopt = false,
) {
  const log: string[] = [];
  const nextReply = <T>(list: T[]) => (list.length > 1 ? (list.shift() as T) : (list[0] as T));
  const creation: Creation = {
    description: "pod sandbox default/demo",
    origin: { method: "RuntimeService/RunPodSandbox", endpoint: "unix:///run/runtime.sock" },
    mark: { hash: "h", nonce: `n${count++}` },
    adopt,
    budget,
    mayExist: true,
    quirks: async () => quirks(),
    create: async () => {
      log.push("create");
      const next = nextReply(create);
      const reply = typeof next === "function" ? next() : next;
      if (reply instanceof Error) throw reply;
      return reply;
    },
    find: async () => {
      log.push("find");
      const reply = nextReply(find);
      if (reply instanceof Error) throw reply;
      // "mine" stands for this creation's nonce, which is random.
      if (reply?.mark?.nonce === "mine") return { ...reply, mark: creation.mark };
      return reply;
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

function noLimit(options: Budget["caller"] = {}): Budget {
  return { caller: options, leftMs: () => undefined, options: () => options, sleep: async () => {} };
}

function failure(code: CriErrorCode, mayHaveTakenEffect = true): CriError {
  return new CriError({ code, message: code, mayHaveTakenEffect, attempts: 1 });
}

const reserved = () => new NameReservedError({ message: "is reserved", holderId: "x" });
const found = (fields: Partial<Found> = {}): Found => ({
  id: "old",
  mark: { hash: "h", nonce: "mine" },
  fresh: true,
  state: "SANDBOX_READY",
  ...fields,
});

describe("createReconciled", () => {
  test("does not look up the object if the reply arrives", async () => {
    const { creation, log } = scripted(["new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create"]);
  });

  test("rejects without a look-up if the runtime refuses the creation", async () => {
    const { creation, log } = scripted([failure("INVALID_ARGUMENT", false)]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(log).toEqual(["create"]);
  });

  test("rejects without a look-up if the call was never sent", async () => {
    const { creation, log } = scripted([failure("UNAVAILABLE", false)]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    expect(log).toEqual(["create"]);
  });

  test.each<CriErrorCode>(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "CANCELLED", "INVALID_RESPONSE"])(
    "after %s, returns the object that the runtime created",
    async (code) => {
      const { creation, log } = scripted([failure(code)], [found()]);
      expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
      expect(log).toEqual(["create", "find"]);
    },
  );

  test("repeats the creation after UNAVAILABLE if the runtime created nothing", async () => {
    const { creation, log } = scripted([failure("UNAVAILABLE"), "new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "create"]);
  });

  test("retries the look-up while the runtime is down", async () => {
    const { creation, log } = scripted(
      [failure("UNAVAILABLE")],
      [failure("UNAVAILABLE", false), failure("UNAVAILABLE", false), found()],
    );
    expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
    expect(log).toEqual(["create", "find", "find", "find"]);
  });

  test("rejects with the error of the creation if the look-up fails otherwise", async () => {
    const { creation } = scripted([failure("UNAVAILABLE")], [failure("PERMISSION_DENIED")]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
  });

  test("waits while the name is reserved but no object is listed", async () => {
    const { creation, log } = scripted([reserved(), reserved(), "new"]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "create", "find", "create"]);
  });

  test("limits the time of a repetition on a runtime that may stall", async () => {
    const { creation, log } = scripted([failure("UNAVAILABLE"), failure("DEADLINE_EXCEEDED"), reserved(), "new"]);
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

  test("polls for the object on a runtime where a repetition could create a second one", async () => {
    const { creation, log } = scripted([failure("UNAVAILABLE"), "second"], [undefined, undefined, found()]);
    creation.quirks = async () => quirks({ duplicates: true });
    expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
    expect(log).toEqual(["create", "find", "find", "find"]);
  });

  test("removes an unusable object of this creation, and repeats the creation", async () => {
    const { creation, log } = scripted([failure("UNAVAILABLE"), "new"], [found({ id: "unusable", fresh: false })]);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["create", "find", "remove unusable", "create"]);
  });

  const theirs = { hash: "h", nonce: "theirs" };

  test.each([
    [
      "created from another configuration",
      { mark: { hash: "x", nonce: "theirs" } },
      /another configuration.*use it through get/,
    ],
    [
      "created from the same configuration by another creation",
      { mark: theirs },
      /the same configuration.*adopt: true/,
    ],
    [
      "of another creation that is not usable",
      { mark: theirs, fresh: false, state: "SANDBOX_NOTREADY" },
      /SANDBOX_NOTREADY/,
    ],
    ["that this package did not create", { mark: undefined }, /another configuration/],
  ])("names an object %s in the error, and does not remove it", async (_, fields, message) => {
    const { creation, log } = scripted([reserved()], [found(fields)]);
    const error = await createReconciled(creation).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NameReservedError);
    expect(error).toMatchObject({ holderId: "old" });
    expect((error as Error).message).toMatch(message);
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("with adopt: true, adopts only a usable object of the same configuration", async () => {
    const adoptable = scripted([reserved()], [found({ mark: theirs })], noLimit(), true);
    expect(await createReconciled(adoptable.creation)).toEqual({ id: "old", adopted: true });
    for (const fields of [
      { mark: theirs, fresh: false },
      { mark: { hash: "x", nonce: "theirs" } },
      { mark: undefined },
    ]) {
      const other = scripted([reserved()], [found(fields)], noLimit(), true);
      await expect(createReconciled(other.creation)).rejects.toBeInstanceOf(NameReservedError);
      expect(other.log).toEqual(["create", "find"]);
    }
  });

  describe("on a runtime that returns the id of an older object", () => {
    const older = (scripted: { creation: Creation; log: string[] }) => {
      scripted.creation.quirks = async () => quirks({ returnsOlder: true });
      return scripted;
    };

    test("looks up the object, and returns it if it belongs to this creation", async () => {
      const { creation, log } = older(scripted(["old"], [found()]));
      expect(await createReconciled(creation)).toEqual({ id: "old", adopted: false });
      expect(log).toEqual(["create", "find"]);
    });

    test("refuses the object of another creation, or adopts it with adopt: true", async () => {
      const refused = older(scripted(["old"], [found({ mark: theirs })]));
      const error = await createReconciled(refused.creation).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(NameReservedError);
      expect(error).toMatchObject({ holderId: "old", mayHaveTakenEffect: false });
      const adopting = older(scripted(["old"], [found({ mark: theirs })], noLimit(), true));
      expect(await createReconciled(adopting.creation)).toEqual({ id: "old", adopted: true });
    });

    test("removes the unusable object of an abandoned creation", async () => {
      const first = scripted([failure("UNKNOWN")]);
      await createReconciled(first.creation).catch(() => {});
      const unusable = found({ fresh: false, mark: first.creation.mark });
      const next = older(scripted(["old", "new"], [unusable, found({ id: "new" })]));
      expect(await createReconciled(next.creation)).toEqual({ id: "new", adopted: false });
      expect(next.log).toEqual(["create", "find", "remove old", "create", "find"]);
    });

    test("repeats the creation if the older object was removed meanwhile", async () => {
      const { creation, log } = older(scripted(["removed", "new"], [undefined, found({ id: "new" })]));
      expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
      expect(log).toEqual(["create", "find", "create", "find"]);
    });

    test("rejects with mayHaveTakenEffect if the look-up fails", async () => {
      const { creation } = older(scripted(["old"], [failure("PERMISSION_DENIED", false)]));
      await expect(createReconciled(creation)).rejects.toMatchObject({
        code: "PERMISSION_DENIED",
        mayHaveTakenEffect: true,
      });
    });
  });

  test("the next creation takes over the object of an abandoned creation, or removes it if it is unusable", async () => {
    const first = scripted([failure("UNAVAILABLE")], [failure("PERMISSION_DENIED")]);
    await expect(createReconciled(first.creation)).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const { mark } = first.creation;
    const unusable = scripted([reserved(), "new"], [found({ mark: { ...mark, hash: "x" } })]);
    expect(await createReconciled(unusable.creation)).toEqual({ id: "new", adopted: false });
    expect(unusable.log).toEqual(["create", "find", "remove old", "create"]);
    const usable = scripted([reserved()], [found({ mark })]);
    expect(await createReconciled(usable.creation)).toEqual({ id: "old", adopted: false });
    // The object has an owner now.
    const third = scripted([reserved()], [found({ mark })]);
    await expect(createReconciled(third.creation)).rejects.toBeInstanceOf(NameReservedError);
  });

  test("the next creation removes the object if the time limit ended during the look-up or the removal", async () => {
    let optionsCalls = 0;
    const spent: Budget = {
      ...noLimit(),
      options: () => {
        // The creation needs options twice, and the look-up once. No time is left for later calls.
        if (++optionsCalls > 3) throw failure("DEADLINE_EXCEEDED", false);
        return {};
      },
    };
    const early = scripted([failure("UNAVAILABLE")], [found({ fresh: false })], spent);
    await expect(createReconciled(early.creation)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    const late = scripted([reserved(), "new"], [found({ fresh: false, mark: early.creation.mark }), undefined]);
    expect(await createReconciled(late.creation)).toEqual({ id: "new", adopted: false });
    expect(late.log).toContain("remove old");
  });

  test.each<CriErrorCode>(["UNKNOWN", "RESOURCE_EXHAUSTED", "CLIENT_CLOSED"])(
    "the next creation takes over the object after %s, which causes no look-up",
    async (code) => {
      const first = scripted([failure(code)]);
      await expect(createReconciled(first.creation)).rejects.toMatchObject({ code, mayHaveTakenEffect: true });
      expect(first.log).toEqual(["create"]);
      const next = scripted([reserved()], [found({ mark: first.creation.mark })]);
      expect(await createReconciled(next.creation)).toEqual({ id: "old", adopted: false });
    },
  );

  test("the next creation removes an object whose removal failed, even if it looks usable", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const first = scripted([abort], [found()], noLimit({ signal: controller.signal }));
    first.creation.remove = async () => {
      throw failure("DEADLINE_EXCEEDED");
    };
    await expect(createReconciled(first.creation)).rejects.toThrow("enough");
    const next = scripted([reserved(), "new"], [found({ mark: first.creation.mark })]);
    expect(await createReconciled(next.creation)).toEqual({ id: "new", adopted: false });
    expect(next.log).toContain("remove old");
  });

  test("keeps mayHaveTakenEffect if a later attempt was never sent", async () => {
    const { creation } = scripted([failure("UNAVAILABLE"), failure("UNAVAILABLE", false)], [undefined]);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNAVAILABLE", mayHaveTakenEffect: true });
  });

  test("sends nothing if the signal has already aborted", async () => {
    const { creation, log } = scripted(["new"], [undefined], noLimit({ signal: AbortSignal.abort("no") }));
    await expect(createReconciled(creation)).rejects.toBe("no");
    expect(log).toEqual([]);
  });

  test("removes the object of an aborted creation, even if it appears late", async () => {
    const controller = new AbortController();
    const late = found({ id: "late" });
    const abort = () => {
      controller.abort("enough");
      return Object.assign(new Error("enough"), {});
    };
    const { creation, log } = scripted([abort], [undefined, late], noLimit({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log).toEqual(["create", "find", "find", "remove late"]);
  });

  test("removes the object if the look-up is aborted and the first search for it fails", async () => {
    const controller = new AbortController();
    const { creation, log } = scripted([failure("UNAVAILABLE")], [found()], noLimit({ signal: controller.signal }));
    const { find } = creation;
    let lookUps = 0;
    creation.find = async (options) => {
      lookUps++;
      if (lookUps === 1) controller.abort("enough");
      if (lookUps <= 2) throw failure("UNAVAILABLE", false);
      return find(options);
    };
    await expect(createReconciled(creation)).rejects.toBe("enough");
    expect(log).toEqual(["create", "find", "remove old"]);
  });

  test("searches for a leftover and removes it with the caller's metadata", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const metadata = { authorization: "me" };
    const { creation } = scripted([abort], [found()], noLimit({ signal: controller.signal, metadata }));
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

  test("does not remove the object of another creation after an abort", async () => {
    const controller = new AbortController();
    const abort = () => {
      controller.abort("enough");
      return new Error("enough");
    };
    const { creation, log } = scripted([abort], [found({ mark: theirs })], noLimit({ signal: controller.signal }));
    await expect(createReconciled(creation)).rejects.toThrow("enough");
    expect(log.filter((entry) => entry.startsWith("remove"))).toEqual([]);
  });

  test("rejects when the time limit is over, after it has removed a leftover", async () => {
    let left = 1_000;
    const timeOut = () => {
      left = 0;
      return failure("DEADLINE_EXCEEDED");
    };
    const budget = { ...noLimit(), leftMs: () => left };
    const leftover = found({ id: "leftover" });
    const { creation, log } = scripted([timeOut], [leftover], budget);
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(log).toEqual(["create", "find", "remove leftover"]);
  });

  test("rejects a reply that arrives after the time limit, because its object may be broken", async () => {
    let left = 1_000;
    const late = () => {
      left = -1;
      return "late";
    };
    const budget = { ...noLimit(), leftMs: () => left };
    const { creation, log } = scripted([late], [found({ id: "late", fresh: false })], budget);
    await expect(createReconciled(creation)).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      mayHaveTakenEffect: true,
    });
    expect(log).toEqual(["create", "find", "remove late"]);
  });
});

describe("on a runtime that replaces a container with the same name", () => {
  const replacing = (held: Found | undefined) => {
    const { creation, log } = scripted(["new"], [held]);
    creation.quirks = async () => quirks({ replaces: true });
    return { creation, log };
  };

  test("looks up the name first, and refuses a name that is in use", async () => {
    const { creation, log } = replacing(found({ mark: undefined }));
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "NAME_RESERVED", holderId: "old" });
    expect(log).toEqual(["find"]);
  });

  test("creates the container if the name is free", async () => {
    const { creation, log } = replacing(undefined);
    expect(await createReconciled(creation)).toEqual({ id: "new", adopted: false });
    expect(log).toEqual(["find", "create"]);
  });
});

describe("on a runtime that leaves the object of a failed creation", () => {
  const failing = (left: Found) => {
    const { creation, log } = scripted([failure("UNKNOWN")], [left]);
    creation.quirks = async () => quirks({ leavesFailed: true });
    return { creation, log };
  };

  test("removes the object", async () => {
    const { creation, log } = failing(found());
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).toEqual(["create", "find", "remove old"]);
  });

  test("does not remove the object of another creation", async () => {
    const { creation, log } = failing(found({ mark: { hash: "h", nonce: "another" } }));
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).not.toContain("remove old");
  });

  test("rejects with the error of the creation if the runtime does not answer", async () => {
    const { creation, log } = failing(found());
    let calls = 0;
    creation.quirks = async () => {
      if (++calls > 1) throw failure("UNAVAILABLE");
      return quirks();
    };
    await expect(createReconciled(creation)).rejects.toMatchObject({ code: "UNKNOWN" });
    expect(log).toEqual(["create"]);
  });
});
