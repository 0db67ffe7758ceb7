import { describe, expect, test } from "vitest";
import { revisionOf } from "../../src/api/names.js";
import type { NodeTask, NodeTaskResult, NodeTaskSpec, ResultStatus } from "../../src/api/types.js";
import { rollOut } from "../../src/controller/roll-out.js";

const now = new Date("2026-01-01T12:00:00Z");
const template = { spec: { containers: [{ name: "main", image: "busybox" }] } };
const current = revisionOf({ template });

function task(spec: Partial<NodeTaskSpec> = {}): NodeTask {
  return {
    metadata: { name: "task", namespace: "default", generation: 2 },
    spec: { template, mode: "KeepRunning", maxUnavailable: 1, logTailLines: 0, ...spec },
  };
}

/** Results of nodes n0, n1, …, one for each word. */
function results(
  ...words: ("new" | "old" | "old-broken" | "starting" | "ready" | "failed" | "done")[]
): NodeTaskResult[] {
  return words.map((word, index) => {
    const revision = word === "new" ? undefined : word.startsWith("old") ? "old" : current;
    const isReady = word === "ready" || word === "old";
    const phase = word === "failed" ? "Failed" : word === "done" ? "Succeeded" : isReady ? "Running" : "Pending";
    const status: ResultStatus = {
      ...{
        observedGeneration: 2,
        revision: revision ?? "",
        phase,
        reason: phase,
        ready: isReady,
        attempts: 1,
        restarts: 0,
      },
      ...(word === "failed" && { finishedAt: "2026-01-01T11:00:00Z", message: "main: exit code 1" }),
      ...(word === "done" && { finishedAt: "2026-01-01T11:30:00Z" }),
    };
    return {
      metadata: { name: `task.n${index}`, namespace: "default" },
      spec: { task: "task", node: `n${index}`, ...(revision && { revision }) },
      ...(word !== "new" && { status }),
    };
  });
}

/** The nodes of the results, except lost ones. */
const live = (all: NodeTaskResult[], lost: string[] = []) =>
  new Set(all.map(({ spec }) => spec.node).filter((node) => !lost.includes(node)));

const granted = (given: NodeTask, all: NodeTaskResult[], lost: string[] = []) =>
  rollOut(given, all, live(all, lost), now).grants.map(({ spec }) => spec.node);

describe("the first roll-out", () => {
  test("starts everywhere at once", () => {
    expect(granted(task(), results("new", "new", "new"))).toEqual(["n0", "n1", "n2"]);
  });

  test("keeps to the concurrency, and goes on when nodes are ready", () => {
    expect(granted(task({ concurrency: 2 }), results("new", "new", "new"))).toEqual(["n0", "n1"]);
    expect(granted(task({ concurrency: 2 }), results("ready", "starting", "new", "new"))).toEqual(["n2"]);
    expect(granted(task({ concurrency: 2 }), results("starting", "starting", "new"))).toEqual([]);
  });

  test("of a task that runs once goes on when nodes have finished, also with a failure", () => {
    const once = task({ mode: "Once", concurrency: 1 });
    expect(granted(once, results("done", "failed", "new", "new"))).toEqual(["n2"]);
    expect(granted(once, results("starting", "new"))).toEqual([]);
  });
});

describe("a new template", () => {
  test("replaces no more ready pods than maxUnavailable", () => {
    expect(granted(task(), results("old", "old", "old"))).toEqual(["n0"]);
    expect(granted(task({ maxUnavailable: "50%" }), results("old", "old", "old"))).toEqual(["n0", "n1"]);
    expect(granted(task(), results("starting", "old", "old"))).toEqual([]);
    expect(granted(task(), results("ready", "old", "old"))).toEqual(["n1"]);
  });

  test("goes to nodes without a ready pod first, which costs nothing", () => {
    expect(granted(task(), results("old", "old-broken", "old"))).toEqual(["n1"]);
  });

  test("waits for a node that is lost", () => {
    expect(granted(task(), results("old", "old", "old"), ["n2"])).toEqual([]);
    expect(granted(task({ maxUnavailable: 2 }), results("old", "old", "old"), ["n2"])).toEqual(["n0"]);
  });
});

describe("the status", () => {
  const statusOf = (given: NodeTask, all: NodeTaskResult[], lost: string[] = []) => {
    const { conditions, ...counts } = rollOut(given, all, live(all, lost), now).status;
    return {
      counts,
      ...Object.fromEntries(conditions.map(({ type, status, reason, message }) => [type, [status, reason, message]])),
    };
  };

  test("counts nodes", () => {
    expect(statusOf(task(), results("new", "old", "starting", "ready", "failed"))).toEqual({
      counts: { observedGeneration: 2, nodes: 5, updated: 3, ready: 2, running: 2, succeeded: 0, failed: 1 },
      Progressing: ["True", "RollingOut", "of 5 nodes, 2 are at work and 2 wait for their turn"],
      Complete: ["False", "Progressing", "not on all nodes"],
      Degraded: ["True", "NodesFailed", "n4: Failed: main: exit code 1"],
    });
  });

  test("of a task that has run once has the time of the last end", () => {
    expect(statusOf(task({ mode: "Once" }), results("done", "failed"))).toMatchObject({
      counts: { finishedAt: "2026-01-01T11:30:00Z", succeeded: 1, failed: 1 },
      Complete: ["True", "Failed", "failed on 1 nodes"],
    });
  });

  test("counts nodes whose agents have not taken the task yet", () => {
    const statusOfAll = (spec: Partial<NodeTaskSpec>) =>
      rollOut(task(spec), results("ready"), new Set(["n0", "n1", "n2"]), now).status;
    const { nodes, conditions } = statusOfAll({});
    expect(nodes).toBe(3);
    expect(conditions[0]?.message).toBe("of 3 nodes, 0 are at work and 2 wait for their turn");
    expect(conditions[1]).toMatchObject({ type: "Complete", status: "False" });
    // A node without an agent is not waited for. Labels are known to the agents only.
    expect(statusOfAll({ nodes: { names: ["n0", "n2", "n9"] } }).nodes).toBe(2);
    expect(statusOfAll({ nodes: { selector: { matchLabels: { a: "b" } } } }).nodes).toBe(1);
  });

  test("names nodes whose agent is lost", () => {
    expect(statusOf(task(), results("ready", "ready"), ["n1"])).toMatchObject({
      Progressing: ["True", "RollingOut", "of 2 nodes, 1 are at work and 0 wait for their turn"],
      Degraded: ["True", "NodesFailed", "n1: the agent does not answer"],
    });
  });

  test("keeps the time of a condition that has not changed", () => {
    const before = rollOut(task(), results("ready"), live(results("ready")), now).status;
    const later = new Date(now.getTime() + 60_000);
    const after = rollOut({ ...task(), status: before }, results("ready"), live(results("ready")), later).status;
    expect(after).toEqual(before);
    const changed = rollOut(
      { ...task(), status: before },
      results("ready", "new"),
      live(results("ready", "new")),
      later,
    ).status;
    expect(changed.conditions.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ["Progressing", later.toISOString()],
      ["Complete", later.toISOString()],
      ["Degraded", now.toISOString()],
    ]);
  });
});
