import { describe, expect, test } from "vitest";
import type { ObservedContainer } from "../../../../src/kubernetes/running/observed-pod.js";
import { RestartDelays } from "../../../../src/kubernetes/running/restart-delays.js";
import type { PodContext } from "../../../../src/kubernetes/running/runner-context.js";
import { StartFailure } from "../../../../src/kubernetes/running/start-failure.js";
import { planned } from "./simulated-pod.js";

const main = planned("main");

/** The delays of a pod at a clock that can be set, and the reasons of its events. */
function delaysAt(start: number) {
  const clock = { time: start, now: () => clock.time, sleep: () => Promise.resolve() };
  const events: string[] = [];
  const context = { clock, emit: (reason: string) => events.push(reason) } as unknown as PodContext;
  const pod = { metadata: { name: "web" } } as never;
  const delays = new RestartDelays(context, { pod, uid: "uid", node: { maxRestartDelayMs: 300_000 } as never });
  const mayStart = (...finishedAt: number[]) => {
    const containers = finishedAt.map((at) => ({ name: "main", state: "exited", finishedAt: at }) as ObservedContainer);
    return delays.mayStart(main, { sandboxes: [], containers });
  };
  return { clock, events, delays, mayStart };
}

describe("restart delays", () => {
  test("report a back-off once, and end when it is over", () => {
    const { clock, events, delays, mayStart } = delaysAt(100_000);
    expect([mayStart(), mayStart(100_000)]).toEqual([true, true]);
    delays.started("main");
    expect([mayStart(100_000), mayStart(100_000)]).toEqual([false, false]);
    expect(events).toEqual(["BackOff"]);
    expect(delays.retryTimes()).toEqual([110_000]);
    clock.time = 110_000;
    expect(mayStart(100_000)).toBe(true);
  });

  test("do not grow when the clock is set back while a container waits", () => {
    const { clock, delays, mayStart } = delaysAt(10_000_000);
    mayStart(10_000_000);
    delays.started("main");
    expect(mayStart(10_000_000)).toBe(false);
    clock.time -= 3_600_000;
    expect(mayStart(10_000_000)).toBe(true);
  });

  test("do not grow when the clock was set back after the container exited", () => {
    const { clock, delays, mayStart } = delaysAt(10_000_000);
    mayStart(10_000_000);
    delays.started("main");
    clock.time -= 3_600_000;
    expect(mayStart(10_000_000)).toBe(false);
    expect(delays.retryTimes()).toEqual([clock.time + 10_000]);
    clock.time += 10_000;
    expect(mayStart(10_000_000)).toBe(true);
  });

  test("keep the times of all containers that wait", () => {
    const { clock, delays } = delaysAt(1_000);
    delays.failed("first", new StartFailure("ErrImagePull", "missing", { retryAt: 2_000 }));
    delays.failed("second", new StartFailure("ErrImagePull", "missing", { retryAt: 9_000 }));
    clock.time = 5_000;
    expect(delays.retryTimes()).toEqual([2_000, 9_000]);
  });
});
