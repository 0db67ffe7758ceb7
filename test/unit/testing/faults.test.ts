import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/errors.js";
import { FaultQueue, failure } from "../../../src/testing/faults.js";
import { checkRpcName, rpcs } from "../../../src/testing/rpcs.js";

test("there are 43 RPCs", () => {
  expect(rpcs.size).toBe(43);
});

test.each([
  ["createcontainer", "CreateContainer"],
  ["RunPod", "RunPodSandbox"],
  ["ListPodSandboxes", "ListPodSandbox"],
])("%s is refused with %s suggested", (given, suggested) => {
  expect(() => checkRpcName(given)).toThrow(InvalidInputError);
  expect(() => checkRpcName(given)).toThrow(`did you mean "${suggested}"?`);
});

describe("the queue", () => {
  const fail = failure({ code: "INTERNAL" });
  const request = { version: "" };

  test("gives each call one delay and one other fault, in order", () => {
    const queue = new FaultQueue();
    queue.add("Version", fail, {});
    queue.add("Version", { kind: "drop" }, {});
    queue.add("Version", { kind: "delay", ms: 5 }, { times: 2 });
    expect(queue.take("Version", request).at("beforeEffect")).toEqual([{ kind: "delay", ms: 5 }, fail]);
    expect(queue.take("Version", request).at("beforeEffect")).toEqual([{ kind: "delay", ms: 5 }, { kind: "drop" }]);
    expect(queue.take("Version", request).at("beforeEffect")).toEqual([]);
    expect(queue.pending).toEqual([]);
  });

  test("leaves other RPCs and requests that do not match alone", () => {
    const queue = new FaultQueue();
    queue.add("Version", fail, { match: (candidate: { version: string }) => candidate.version === "v1" });
    expect(queue.take("Status", { verbose: false }).at("beforeEffect")).toEqual([]);
    expect(queue.take("Version", request).at("beforeEffect")).toEqual([]);
    expect(queue.pending).toEqual([{ rpc: "Version", kind: "fail", phase: "beforeEffect", times: 1 }]);
    expect(queue.take("Version", { version: "v1" }).at("beforeEffect")).toEqual([fail]);
  });

  test("an endless fault for every RPC stays until cleared", () => {
    const queue = new FaultQueue();
    queue.add("*", fail, { times: Infinity });
    for (let call = 0; call < 3; call++)
      expect(queue.take("Status", { verbose: true }).at("beforeEffect")).toEqual([fail]);
    queue.clear();
    expect(queue.pending).toEqual([]);
  });

  test("refuses what makes no sense", () => {
    const queue = new FaultQueue();
    expect(() => queue.add("Versoin" as never, fail, {})).toThrow(/did you mean "Version"/);
    expect(() => queue.add("Version", fail, { times: 0 })).toThrow(/times/);
    expect(() => queue.add("Version", fail, { phase: "duringEffect" })).toThrow(/one step/);
    expect(() => queue.add("Version", fail, { phase: "later" as never })).toThrow(/no such phase/);
    expect(() => failure({ code: "OK" as never })).toThrow(/no gRPC error code/);
    queue.add("RunPodSandbox", fail, { phase: "duringEffect" });
    queue.add("GetContainerEvents", fail, { phase: "duringEffect" });
  });
});
