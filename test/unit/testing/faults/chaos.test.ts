import { describe, expect, test } from "vitest";
import { Chaos, type ChaosOptions } from "../../../../src/testing/faults/chaos.js";
import type { FaultAction } from "../../../../src/testing/faults/fault.js";
import type { RpcName } from "../../../../src/testing/rpcs.js";

const chaosOf = (options: ChaosOptions) => new Chaos(options, async () => {});

/** Returns the decisions about calls, by RPC and in order. */
function decisions(options: ChaosOptions, calls: readonly RpcName[]): Map<RpcName, unknown[]> {
  const chaos = chaosOf(options);
  const byRpc = new Map<RpcName, unknown[]>();
  for (const rpc of calls) {
    const fault = chaos.decide(rpc);
    byRpc.set(rpc, [...(byRpc.get(rpc) ?? []), fault && { phase: fault.phase, ...fault.action }]);
  }
  return byRpc;
}

const times = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => item);
const grouped: RpcName[] = [...times(40, "Version" as const), ...times(40, "RunPodSandbox" as const)];
const mixed: RpcName[] = times(40, ["RunPodSandbox", "Version"] as const).flat();

describe("the decisions", () => {
  test("depend on seed, RPC and number, not on calls of other RPCs", () => {
    const first = decisions({ seed: "a", rate: 0.5 }, grouped);
    expect(decisions({ seed: "a", rate: 0.5 }, mixed)).toEqual(first);
    expect(decisions({ seed: "b", rate: 0.5 }, grouped)).not.toEqual(first);
    expect(first.get("Version")).not.toEqual(first.get("RunPodSandbox"));
    expect(new Set(first.get("Version")?.map((decision) => JSON.stringify(decision))).size).toBeGreaterThan(5);
  });

  test("are the same for a number and its digits, as in an environment variable", () => {
    const number = decisions({ seed: 7, rate: 0.5, kinds: ["delay"] }, grouped);
    expect(decisions({ seed: "7", rate: 0.5, kinds: ["delay"] }, grouped)).toEqual(number);
  });

  test("follow the rate", () => {
    const countInjected = (rate: number | undefined) => {
      const all = decisions({ seed: 1, rate }, times(2_000, "Version" as const)).get("Version") ?? [];
      return all.filter((decision) => decision !== undefined).length;
    };
    expect([countInjected(0), countInjected(1)]).toEqual([0, 2_000]);
    expect(countInjected(undefined)).toBeGreaterThan(320);
    expect(countInjected(undefined)).toBeLessThan(480);
  });

  test("concern only the given RPCs", () => {
    const options: ChaosOptions = { seed: 1, rate: 1, rpcs: ["Version"] };
    expect(decisions(options, ["RunPodSandbox", "Version"]).get("RunPodSandbox")).toEqual([undefined]);
    expect(decisions({ ...options, rpcs: [] }, ["Version"]).get("Version")).toEqual([undefined]);
  });

  test("end with the chaos", async () => {
    const chaos = chaosOf({ rate: 1 });
    expect(chaos.decide("Version")).toBeDefined();
    await chaos.stop();
    expect(chaos.active).toBe(false);
    expect(chaos.decide("Version")).toBeUndefined();
  });
});

describe("the faults", () => {
  const all = (options: ChaosOptions, rpc: RpcName) => {
    const chaos = chaosOf({ seed: 1, rate: 1, ...options });
    return times(600, rpc).map((name) => chaos.decide(name) as { phase: string; action: FaultAction });
  };
  const values = <T>(items: readonly T[]) => [...new Set(items)].sort();

  test("have all requested kinds and all phases", () => {
    const kinds = (options: ChaosOptions) => values(all(options, "Version").map(({ action }) => action.kind));
    expect(kinds({})).toEqual(["delay", "drop", "fail"]);
    expect(kinds({ kinds: ["hang", "restart"] })).toEqual(["hang", "restart"]);
    const phases = (rpc: RpcName) => values(all({ kinds: ["drop"] }, rpc).map(({ phase }) => phase));
    expect(phases("Version")).toEqual(["afterEffect", "beforeEffect"]);
    expect(phases("CreateContainer")).toEqual(["afterEffect", "beforeEffect", "duringEffect"]);
    expect(phases("StreamContainers")).toEqual(["afterEffect", "beforeEffect", "duringEffect"]);
  });

  test("use a code that rejects a request only before the work is done", () => {
    const failures = all({ kinds: ["fail"] }, "RunPodSandbox").flatMap(({ phase, action }) =>
      action.kind === "fail" ? [{ phase, code: action.code }] : [],
    );
    const codes = ["DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN"];
    expect(values(failures.map(({ code }) => code))).toEqual(codes);
    const late = failures.filter(({ phase }) => phase === "afterEffect");
    expect(values(late.map(({ code }) => code))).toEqual(["DEADLINE_EXCEEDED", "INTERNAL", "UNAVAILABLE"]);
  });

  test("stay within their limits", () => {
    for (const [kind, limit] of [
      ["delay", { maxDelayMs: 3 }],
      ["hang", { maxHangMs: 3 }],
      ["restart", { maxDownMs: 3 }],
    ] as const) {
      const found = all({ kinds: [kind], ...limit }, "Version").map(({ action }) => ("ms" in action ? action.ms : -1));
      expect(values(found)).toEqual([0, 1, 2, 3]);
    }
  });

  test("name the seed and the call", () => {
    const { action } = all({ kinds: ["fail"], codes: ["ABORTED"], seed: "x" }, "Version")[0] as { action: FaultAction };
    expect(action).toMatchObject({ message: 'ABORTED by chaos with seed "x" (Version 1)' });
  });
});

test("generates a seed if none is given", () => {
  const seeds = times(4, undefined).map((seed) => chaosOf({ seed }).seed);
  expect(new Set(seeds).size).toBeGreaterThan(1);
});

test("runs one restart at a time, and stopping waits for it", async () => {
  const restarts: number[] = [];
  let finishRestart = () => {};
  const chaos = new Chaos({ seed: 1, rate: 1, kinds: ["restart"] }, (ms) => {
    restarts.push(ms);
    return new Promise((resolve) => (finishRestart = resolve));
  });
  const injectRestart = () => {
    const action = chaos.decide("Version")?.action;
    if (action?.kind === "restart") action.restart();
  };
  injectRestart();
  injectRestart();
  expect(restarts).toHaveLength(1);
  let stopped = false;
  const stopping = chaos.stop().then(() => (stopped = true));
  await Promise.resolve();
  expect(stopped).toBe(false);
  finishRestart();
  await stopping;
});

test.each<[string, ChaosOptions]>([
  ["rate", { rate: 1.1 }],
  ["kinds", { kinds: ["explode" as "fail"] }],
  ["kinds", { kinds: [] }],
  ["rpcs", { rpcs: ["Versoin" as "Version"] }],
  ["codes", { codes: ["OK" as "UNKNOWN"] }],
  ["codes", { codes: [] }],
  ["maxDelayMs", { maxDelayMs: -1 }],
  ["maxHangMs", { maxHangMs: Infinity }],
  ["maxDownMs", { maxDownMs: Number.NaN }],
])("rejects %s: %j", (field, options) => {
  expect(() => chaosOf(options)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
});
