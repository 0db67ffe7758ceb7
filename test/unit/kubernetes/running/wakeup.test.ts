import { expect, test } from "vitest";
import { Wakeup } from "../../../../src/kubernetes/running/wakeup.js";
import { manualClock } from "./support.js";

test("a wake-up during the work ends the next wait at once, and only that", async () => {
  const clock = manualClock();
  const wakeup = new Wakeup(clock);
  const { signal } = new AbortController();
  wakeup.wake();
  await wakeup.wait(undefined, signal);
  expect(clock.slept).toEqual([]);
  await wakeup.wait(70, signal);
  expect(clock.slept).toEqual([70]);
});

test("a wait rejects with the reason of the signal", async () => {
  const reason = new Error("enough");
  await expect(new Wakeup(manualClock()).wait(70, AbortSignal.abort(reason))).rejects.toBe(reason);
});
