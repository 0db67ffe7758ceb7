import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../../src/errors.js";
import { Chaos } from "../../../../src/testing/faults/chaos.js";
import { failure, oversize, phasesOf, slowness } from "../../../../src/testing/faults/fault.js";
import { FaultQueue } from "../../../../src/testing/faults/queue.js";
import { checkRpcName, rpcs } from "../../../../src/testing/rpcs.js";

test("there are 43 RPCs", () => {
  expect(rpcs.size).toBe(43);
});

test.each([
  ["createcontainer", "CreateContainer"],
  ["RunPod", "RunPodSandbox"],
  ["ListPodSandboxes", "ListPodSandbox"],
])("rejects %s and suggests %s", (given, suggested) => {
  expect(() => checkRpcName(given)).toThrow(InvalidInputError);
  expect(() => checkRpcName(given)).toThrow(`did you mean "${suggested}"?`);
});

describe("the queue", () => {
  const fail = failure({ code: "INTERNAL" });
  const request = { version: "" };
  /** Returns the faults of a Version call before its effect. */
  const taken = (queue: FaultQueue, version = "") =>
    queue
      .take("Version", { version })
      .at("beforeEffect")
      .map(({ action }) => action);

  test("gives each call one delay and one other fault, in order", () => {
    const queue = new FaultQueue();
    queue.add("Version", fail, {});
    queue.add("Version", { kind: "drop" }, {});
    queue.add("Version", { kind: "delay", ms: 5 }, { times: 2 });
    expect(taken(queue)).toEqual([{ kind: "delay", ms: 5 }, fail]);
    expect(taken(queue)).toEqual([{ kind: "delay", ms: 5 }, { kind: "drop" }]);
    expect(taken(queue)).toEqual([]);
    expect(queue.pending).toEqual([]);
  });

  test("also gives one slow reply, and records the injected faults", () => {
    const queue = new FaultQueue();
    queue.add("Version", slowness({ chunkBytes: 3 }), { phase: "afterEffect" });
    queue.add("Version", oversize({ bytes: 7 }), { phase: "afterEffect" });
    queue.add("Version", oversize({ bytes: 8 }), { phase: "afterEffect" });
    const faults = queue.take("Version", request);
    expect(faults.find("slow")).toEqual({ kind: "slow", chunkBytes: 3, everyMs: 10 });
    expect(faults.find("respond")).toBeUndefined();
    expect(faults.injected).toEqual([]);
    expect(faults.use("oversize")).toEqual({ kind: "oversize", bytes: 7 });
    expect(faults.use("respond")).toBeUndefined();
    expect(faults.injected).toEqual([{ kind: "oversize", phase: "afterEffect", origin: "test" }]);
    expect(queue.pending.map(({ kind }) => kind)).toEqual(["oversize"]);
  });

  test("skips other RPCs and requests that do not match", () => {
    const queue = new FaultQueue();
    queue.add("Version", fail, { match: (candidate: { version: string }) => candidate.version === "v1" });
    expect(queue.take("Status", { verbose: false }).at("beforeEffect")).toEqual([]);
    expect(taken(queue)).toEqual([]);
    expect(queue.pending).toEqual([{ rpc: "Version", kind: "fail", phase: "beforeEffect", times: 1 }]);
    expect(taken(queue, "v1")).toEqual([fail]);
  });

  test("keeps an endless fault for every RPC until cleared", () => {
    const queue = new FaultQueue();
    queue.add("*", fail, { times: Infinity });
    for (let call = 0; call < 3; call++) expect(taken(queue)).toEqual([fail]);
    queue.clear();
    expect(queue.pending).toEqual([]);
    expect(taken(queue)).toEqual([]);
  });

  test("lets chaos count all calls and choose faults for those without one", () => {
    const queue = new FaultQueue();
    const chaos = new Chaos({ seed: 1, rate: 1, kinds: ["delay"], maxDelayMs: 0 }, async () => {});
    queue.chaos = chaos;
    queue.add("Version", fail, {});
    for (let call = 0; call < 2; call++) {
      const faults = queue.take("Version", request);
      for (const phase of phasesOf("Version")) for (const fault of faults.at(phase)) faults.record(fault);
    }
    expect(chaos.faults).toEqual([
      { rpc: "Version", ordinal: 2, kind: "delay", phase: expect.any(String), origin: "chaos", ms: 0 },
    ]);
  });

  test("rejects invalid faults", () => {
    const queue = new FaultQueue();
    expect(() => queue.add("Versoin" as never, fail, {})).toThrow(/did you mean "Version"/);
    expect(() => queue.add("Version", fail, { times: 0 })).toThrow(/times/);
    expect(() => queue.add("Version", fail, { phase: "duringEffect" })).toThrow(/has no phase duringEffect/);
    expect(() => queue.add("Version", fail, { phase: "later" as never })).toThrow(
      /expected beforeEffect, duringEffect or afterEffect/,
    );
    expect(() => failure({ code: "OK" as never })).toThrow(/expected the name of a gRPC error code/);
    queue.add("RunPodSandbox", fail, { phase: "duringEffect" });
    queue.add("GetContainerEvents", fail, { phase: "duringEffect" });
  });
});
