import { expect, test } from "vitest";
import { systemClock } from "../../../../src/kubernetes/running/probes/probe-clock.js";
import { StopOrder } from "../../../../src/kubernetes/running/stop-order.js";
import { planned } from "./simulated-pod.js";

const pod = [
  planned("init", { kind: "init" }),
  planned("first", { kind: "sidecar" }),
  planned("second", { kind: "sidecar" }),
  planned("main"),
];
const hour = 3_600_000;
const { signal } = new AbortController();

/** Waits for all containers, and returns a list to which each is added when its turn has come. */
function turnsOf(order: StopOrder, names: readonly string[], timeoutMs = hour): string[] {
  const turns: string[] = [];
  for (const name of names) void order.waitForTurn(name, timeoutMs, signal).then(() => turns.push(name));
  return turns;
}

const settle = () => new Promise(setImmediate);

test("main containers stop at once, then sidecars, the last one first", async () => {
  const names = ["first", "second", "main"];
  const order = new StopOrder(pod, new Set(names), systemClock);
  const turns = turnsOf(order, names);
  await settle();
  expect(turns).toEqual(["main"]);
  order.ended("main");
  await settle();
  expect(turns).toEqual(["main", "second"]);
  order.ended("second");
  await settle();
  expect(turns).toEqual(["main", "second", "first"]);
});

test("a sidecar waits no longer than its grace period, and not for containers that do not run", async () => {
  const order = new StopOrder(pod, new Set(["first", "main"]), systemClock);
  await order.waitForTurn("first", 1, signal);
  const alone = new StopOrder(pod, new Set(["first"]), systemClock);
  await alone.waitForTurn("first", hour, signal);
});

test("the wait rejects with the reason of the signal", async () => {
  const order = new StopOrder(pod, new Set(["first", "main"]), systemClock);
  const reason = new Error("enough");
  await expect(order.waitForTurn("first", hour, AbortSignal.abort(reason))).rejects.toBe(reason);
});
