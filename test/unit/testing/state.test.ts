import { describe, expect, test } from "vitest";
import type { FakeFlavor } from "../../../src/testing/flavors/profile.js";
import { flavorProfile, unimplementedRpcs } from "../../../src/testing/flavors.js";
import { rpcs } from "../../../src/testing/rpcs.js";
import { RealClock } from "../../../src/testing/state/clock.js";
import { EventHub } from "../../../src/testing/state/events.js";
import { IdMap, IdSource, matchesLabels } from "../../../src/testing/state/ids.js";
import { NameRegistry } from "../../../src/testing/state/names.js";
import { StreamingSessions } from "../../../src/testing/state/sessions.js";

const containerd = flavorProfile("containerd-2");
const neverAborted = new AbortController().signal;

test("the clock never returns the same time twice", () => {
  const clock = new RealClock();
  const times = Array.from({ length: 1_000 }, () => clock.now());
  expect(new Set(times).size).toBe(1_000);
  expect([...times].sort()).toEqual(times);
  expect(Math.abs(Number((times[0] as bigint) / 1_000_000n) - Date.now())).toBeLessThan(1_000);
});

test("ids repeat with a seed and differ without one", () => {
  const ids = (seed?: string) => {
    const source = new IdSource(seed);
    return [source.next(), source.next(), source.token()];
  };
  expect(ids("a")).toEqual(ids("a"));
  expect(ids("a")).not.toEqual(ids("b"));
  expect(ids()).not.toEqual(ids());
  expect(ids()[0]).toMatch(/^[0-9a-f]{64}$/);
  expect(ids()[2]).toMatch(/^[\w-]{8}$/);
});

test("finds an object by a prefix that matches one id only", () => {
  const map = new IdMap<{ id: string }>(containerd);
  const [one, two] = [{ id: "abc1" }, { id: "abd2" }];
  map.add(one);
  map.add(two);
  expect(map.get("abc", "CheckpointContainer")).toBe(one);
  expect(map.find("zz", "ContainerStatus")).toBeUndefined();
  expect(() => map.get("zz", "CheckpointContainer")).toThrow('failed to find container "zz": not found');
  expect(() => map.get("ab", "ContainerStats")).toThrow(
    "failed to find container: multiple IDs found with provided prefix: ab",
  );
  expect(() => map.find("", "ContainerStats")).toThrow("failed to find container: prefix can't be empty");
  expect(map.complete("abd")).toBe("abd2");
  expect(map.complete("ab")).toBe("ab");
});

test("labels match a selector if they include all its labels", () => {
  expect(matchesLabels({ a: "1", b: "2" }, { a: "1" })).toBe(true);
  expect(matchesLabels({ a: "1" }, { a: "1", b: "2" })).toBe(false);
  expect(matchesLabels({}, undefined)).toBe(true);
});

const nobody = { exists: () => false, removeIdle: () => false };

describe("a name", () => {
  test.each([
    ["containerd-1.7", /failed to reserve sandbox name "n": name "n" is reserved for "first"/],
    ["containerd-2", /failed to reserve sandbox name "n": name "n" is reserved for "first"/],
  ] as const)("is held while a creation is in progress, and after it: %s", async (flavor, refusal) => {
    const names = new NameRegistry("sandbox", flavorProfile(flavor), nobody);
    let finish: () => void = () => {};
    const first = names.create("n", "first", neverAborted, () => new Promise((resolve) => (finish = resolve)));
    await expect(names.create("n", "second", neverAborted, async () => {})).rejects.toThrow(refusal);
    finish();
    expect(await first).toBe("first");
    await expect(names.create("n", "third", neverAborted, async () => {})).rejects.toThrow(refusal);
    names.release("n");
    expect(await names.create("n", "fourth", neverAborted, async () => {})).toBe("fourth");
  });

  test("is free again after a failed creation", async () => {
    const names = new NameRegistry("container", containerd, nobody);
    const failing = names.create("n", "first", neverAborted, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(await names.create("n", "second", neverAborted, async () => {})).toBe("second");
  });

  test("on CRI-O returns the id of the holder, or waits for its creation", async () => {
    const names = new NameRegistry("sandbox", flavorProfile("cri-o"), nobody);
    let finish: () => void = () => {};
    const first = names.create("n", "first", neverAborted, () => new Promise((resolve) => (finish = resolve)));
    const deadline = new AbortController();
    const second = names.create("n", "second", AbortSignal.timeout(5), async () => {});
    await expect(second).rejects.toThrow(
      /deadline exceeded: error reserving pod name n for id second: name is reserved$/,
    );
    const third = names.create("n", "third", deadline.signal, async () => {});
    finish();
    expect(await first).toBe("first");
    deadline.abort();
    await expect(third).rejects.toThrow(
      /ready and will be provided to the kubelet on next retry: .* name is reserved$/,
    );
    expect(await names.create("n", "fourth", neverAborted, async () => {})).toBe("first");
  });
});

test.each([
  ["containerd-1.6", 12 + 2],
  ["containerd-1.7", 9 + 4],
  ["containerd-2", 9 + 2],
  ["cri-o", 8],
  ["cri-dockerd", 9 + 6],
] as const)("%s lacks %i RPCs", (name, count) => {
  const lacks = unimplementedRpcs(flavorProfile(name), [], []);
  expect([...rpcs.values()].filter((rpc) => lacks(rpc) !== undefined)).toHaveLength(count);
  const all = unimplementedRpcs(flavorProfile(name), [], "all");
  expect([...rpcs.values()].filter((rpc) => all(rpc) !== undefined)).toHaveLength(0);
});

test("rejects an unknown flavour and unknown RPC names", () => {
  expect(() => flavorProfile("docker" as FakeFlavor)).toThrow(/expected one of containerd-1.6/);
  expect(() => flavorProfile("toString" as FakeFlavor)).toThrow(/expected one of/);
  expect(() => unimplementedRpcs(containerd, ["Nope" as never], [])).toThrow(/unimplemented: no such RPC/);
});

describe("events", () => {
  const collect = async (hub: EventHub, signal: AbortSignal, into: string[]) => {
    for await (const event of hub.subscribe(signal)) into.push(event.containerId);
  };
  const tick = () => new Promise((resolve) => setImmediate(resolve));

  test("reach every subscriber, and buffered ones the first", async () => {
    const hub = new EventHub("broadcast");
    const controller = new AbortController();
    const received: string[][] = [[], []];
    hub.emit({ containerId: "early" });
    const streams = received.map((into) => collect(hub, controller.signal, into).catch(() => {}));
    await tick();
    hub.emit({ containerId: "now" });
    await tick();
    controller.abort();
    await Promise.all(streams);
    expect(received).toEqual([["early", "now"], ["now"]]);
    expect(hub.subscriberCount).toBe(0);
  });

  test("reach one subscriber each on a shared queue", async () => {
    const hub = new EventHub("shared");
    const controller = new AbortController();
    const received: string[][] = [[], []];
    const streams = received.map((into) => collect(hub, controller.signal, into).catch(() => {}));
    await tick();
    for (const containerId of ["1", "2", "3"]) hub.emit({ containerId });
    await tick();
    controller.abort();
    await Promise.all(streams);
    expect(received).toEqual([["1", "3"], ["2"]]);
  });

  test("end at once if they are disabled", async () => {
    const received: string[] = [];
    await collect(new EventHub("off"), neverAborted, received);
    expect(received).toEqual([]);
  });
});

test("a streaming token is valid for one connection", async () => {
  const sessions = new StreamingSessions(new IdSource("s"), new RealClock(), async () => "http://127.0.0.1:1");
  const url = await sessions.open({ kind: "portForward", request: { podSandboxId: "p", port: [80] } });
  const [, token] = /^http:\/\/127\.0\.0\.1:\d+\/portforward\/([\w-]{8})$/.exec(url) as unknown as [string, string];
  expect(sessions.take(token)?.kind).toBe("portForward");
  expect(sessions.take(token)).toBeUndefined();
});
