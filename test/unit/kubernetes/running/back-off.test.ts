import { describe, expect, test } from "vitest";
import { BackOff } from "../../../../src/kubernetes/running/back-off.js";

/** Lets a container fail again and again, and returns the delays before its restarts in seconds. */
function delays(backOff: BackOff, failures: number, runMs = 0): number[] {
  const result: number[] = [];
  let now = 1_000_000;
  for (let failure = 0; failure < failures; failure++) {
    now += runMs;
    const failedAt = now;
    now = Math.max(now, backOff.readyAt("main", failedAt));
    result.push((now - failedAt) / 1000);
    backOff.next("main", failedAt, now);
  }
  return result;
}

describe("a back-off", () => {
  test("restarts at once, then after 10 s, and doubles up to the maximum", () => {
    expect(delays(new BackOff({ maxMs: 300_000 }), 8)).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
  });

  test("begins anew after ten minutes without a failure", () => {
    expect(delays(new BackOff({ maxMs: 300_000 }), 4, 600_000)).toEqual([0, 10, 20, 40]);
    expect(delays(new BackOff({ maxMs: 300_000 }), 4, 600_001)).toEqual([0, 0, 0, 0]);
  });

  test("never exceeds a maximum below 10 s", () => {
    expect(delays(new BackOff({ maxMs: 2_000 }), 4)).toEqual([0, 2, 2, 2]);
  });

  test("counts each key by itself, and forgets a key on request", () => {
    const backOff = new BackOff({ maxMs: 300_000 });
    backOff.next("a", 0, 0);
    expect([backOff.readyAt("a", 5), backOff.readyAt("b", 5)]).toEqual([10_005, 5]);
    backOff.reset("a");
    expect(backOff.readyAt("a", 5)).toBe(5);
  });
});
