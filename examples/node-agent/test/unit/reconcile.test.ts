import { describe, expect, test } from "vitest";
import { type Desired, type Observed, type PodView, reconcile, reportIntervalMs } from "../../src/agent/reconcile.js";
import type { ResultStatus } from "../../src/api/types.js";

const now = Date.parse("2026-01-01T12:00:00Z");
const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
const once: Desired = { mode: "Once", intervalMs: 0, generation: 3, revision: "b" };

const runningView: PodView = { phase: "Running", reason: "Running", ready: true, restarts: 0, startedAt: at(-60) };
const endedView: PodView = {
  ...{ phase: "Failed", reason: "Error", ready: false, restarts: 0, startedAt: at(-60), finishedAt: at(-5) },
  exitCodes: { main: 3 },
};
const statusOf = (view: PodView, attempts = 1, revision = "b"): ResultStatus => ({
  ...{ observedGeneration: 3, revision, attempts },
  ...view,
});

/** A task that was granted revision b, and of which nothing else is known. */
function observed(changes: Partial<Observed> & { granted?: string; reported?: ResultStatus } = {}): Observed {
  const { granted = "b", reported, ...rest } = changes;
  return {
    ...{ pod: { type: "none" }, keptRevision: undefined, reportedAt: 0, now },
    result: { revision: granted, status: reported, isDeleted: false },
    ...rest,
  };
}

const started = (view: PodView, attempt = 1, revision = "b") =>
  ({ type: "started", run: { revision, attempt }, view }) as const;

describe("a task that is not for this node, or no longer", () => {
  test.each([
    ["nothing is left", { result: undefined, pod: { type: "none" } }, undefined],
    ["a pod may be left", { result: undefined, pod: { type: "unknown" } }, { type: "removePod" }],
    ["a pod runs", { pod: started(runningView) }, { type: "removePod" }],
    ["only its result is left", { pod: { type: "none" } }, { type: "releaseResult" }],
  ] as const)("%s", (_, changes, action) => {
    expect(reconcile(undefined, observed(changes))).toEqual(action);
  });

  test("a deleted result is given up after its pod", () => {
    const result = { revision: "b", status: undefined, isDeleted: true };
    expect(reconcile(once, observed({ result, pod: started(runningView) }))).toEqual({ type: "removePod" });
    expect(reconcile(once, observed({ result }))).toEqual({ type: "releaseResult" });
  });
});

describe("the first run", () => {
  test("needs a result, and a turn", () => {
    expect(reconcile(once, observed({ result: undefined }))).toEqual({ type: "createResult" });
    const waiting = { revision: undefined, status: undefined, isDeleted: false };
    expect(reconcile(once, observed({ result: waiting }))).toBeUndefined();
  });

  test("starts the granted revision", () => {
    expect(reconcile(once, observed())).toEqual({ type: "start", run: { revision: "b", attempt: 1 } });
  });

  test("waits for the template of the granted revision", () => {
    expect(reconcile(once, observed({ granted: "c" }))).toBeUndefined();
    expect(reconcile(once, observed({ granted: "c", keptRevision: "c" }))).toEqual({
      ...{ type: "start", run: { revision: "c", attempt: 1 } },
    });
  });

  test("is reported, but not twice", () => {
    const pod = started(runningView);
    expect(reconcile(once, observed({ pod }))).toEqual({ type: "report", status: statusOf(runningView) });
    expect(reconcile(once, observed({ pod, reported: statusOf(runningView) }))).toBeUndefined();
  });

  test("is reported a second after the last report", () => {
    const wait = { type: "wait", until: now - 600 + reportIntervalMs };
    expect(reconcile(once, observed({ pod: started(runningView), reportedAt: now - 600 }))).toEqual(wait);
  });

  test("is reported at once when it runs, and while it is created, only after a second", () => {
    const view = { ...runningView, phase: "Pending", reason: "ContainerCreating", ready: false } as const;
    const since = (seconds: number) => ({ ...view, startedAt: at(seconds) });
    const wait = { type: "wait", until: now - 600 + reportIntervalMs };
    expect(reconcile(once, observed({ pod: started(since(-0.6)) }))).toEqual(wait);
    const isReported = (view: PodView) => ({ type: "report", status: statusOf(view) });
    expect(reconcile(once, observed({ pod: started(since(-1)) }))).toEqual(isReported(since(-1)));
    const broken = { ...since(0), message: "main: no such image" };
    expect(reconcile(once, observed({ pod: started(broken) }))).toEqual(isReported(broken));
  });
});

describe("a pod that has ended", () => {
  const pod = started(endedView);

  test("is removed after its end was reported, not before", () => {
    expect(reconcile(once, observed({ pod }))).toEqual({ type: "report", status: statusOf(endedView) });
    expect(reconcile(once, observed({ pod, reported: statusOf(endedView) }))).toEqual({ type: "removePod" });
  });

  test("is not run again in mode Once", () => {
    expect(reconcile(once, observed({ reported: statusOf(endedView) }))).toBeUndefined();
  });

  test("is removed by the next process, if the first one was killed", () => {
    const reported = statusOf(endedView);
    expect(reconcile(once, observed({ pod: { type: "unknown" }, reported }))).toEqual({ type: "removePod" });
  });

  test.each([
    ["Interval", 60, endedView, { type: "start", run: { revision: "b", attempt: 2 } }],
    ["Interval", 90, endedView, { type: "wait", until: now + 30_000 }],
    ["KeepRunning", 0, endedView, { type: "wait", until: now + 5_000 }],
    ["KeepRunning", 0, { ...endedView, finishedAt: at(-10) }, { type: "start", run: { revision: "b", attempt: 2 } }],
    ["KeepRunning", 0, { ...endedView, startedAt: at(-700) }, { type: "start", run: { revision: "b", attempt: 2 } }],
  ] as const)("is run again in mode %s (%d s)", (mode, seconds, view, action) => {
    const desired = { ...once, mode, intervalMs: seconds * 1_000 };
    expect(reconcile(desired, observed({ reported: statusOf(view) }))).toEqual(action);
  });

  test("is run again later with every failure, after five minutes at most", () => {
    const desired = { ...once, mode: "KeepRunning" } as const;
    const waits = [1, 2, 3, 6, 20].map((attempts) => {
      const action = reconcile(desired, observed({ reported: statusOf(endedView, attempts) }));
      return action?.type === "wait" ? (action.until - now) / 1_000 + 5 : action;
    });
    expect(waits).toEqual([10, 20, 40, 300, 300]);
  });
});

describe("after a crash of the agent", () => {
  test("the reported attempt continues", () => {
    const reported = statusOf(runningView, 4);
    expect(reconcile(once, observed({ pod: { type: "unknown" }, reported }))).toEqual({
      ...{ type: "start", run: { revision: "b", attempt: 4 } },
    });
  });

  test("an attempt that was not reported yet is the same one again", () => {
    const desired = { ...once, mode: "Interval" } as const;
    const reported = statusOf(endedView, 4);
    const again = { type: "start", run: { revision: "b", attempt: 5 } };
    expect(reconcile(desired, observed({ reported }))).toEqual(again);
    expect(reconcile(desired, observed({ reported }))).toEqual(again);
  });

  test("a pod of the old revision runs on until the node has its turn", () => {
    const desired = { ...once, mode: "KeepRunning", revision: "c" } as const;
    expect(
      reconcile(desired, observed({ pod: { type: "unknown" }, keptRevision: "b", reported: statusOf(runningView, 2) })),
    ).toEqual({ type: "start", run: { revision: "b", attempt: 2 } });
  });
});

describe("a new template", () => {
  const desired = { ...once, mode: "KeepRunning", revision: "c" } as const;

  test("leaves the pod alone until the node has its turn", () => {
    const pod = started(runningView);
    expect(reconcile(desired, observed({ pod, reported: statusOf(runningView) }))).toBeUndefined();
  });

  test("replaces the pod then, and begins with the first attempt", () => {
    const pod = started(runningView, 7);
    expect(reconcile(desired, observed({ pod, granted: "c" }))).toEqual({
      ...{ type: "start", run: { revision: "c", attempt: 1 } },
    });
  });
});

describe("a pod that cannot be started", () => {
  const refused = {
    type: "refused",
    run: { revision: "b", attempt: 1 },
    reason: "InvalidTemplate",
    message: "no",
  } as const;
  const reported = statusOf({ phase: "Pending", reason: "InvalidTemplate", message: "no", ready: false, restarts: 0 });

  test("is reported", () => {
    expect(reconcile(once, observed({ pod: refused }))).toEqual({ type: "report", status: reported });
  });

  test("is tried again if time may help, else with another template only", () => {
    expect(reconcile(once, observed({ pod: refused, reported }))).toBeUndefined();
    const soon = { ...refused, retryAt: now + 1_000 };
    expect(reconcile(once, observed({ pod: soon, reported }))).toEqual({ type: "wait", until: now + 1_000 });
    const due = { ...refused, retryAt: now };
    expect(reconcile(once, observed({ pod: due, reported }))).toEqual({ type: "start", run: refused.run });
  });
});
