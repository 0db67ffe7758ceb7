import { describe, expect, test } from "vitest";
import type { ContainerPlan } from "../../../../src/kubernetes/planning/pod-plan-types.js";
import { describePod, type PodProgress } from "../../../../src/kubernetes/running/describe-pod.js";
import { podColumns } from "../../../../src/kubernetes/running/display-status.js";
import { planned, SimulatedPod } from "./simulated-pod.js";

const image = { reference: "busybox:1", pullPolicy: "IfNotPresent" } as ContainerPlan["image"];
const container = (name: string, fields: Partial<ContainerPlan> = {}) => planned(name, { image, ...fields });
const initial = { startup: undefined, liveness: true, readiness: false };

/** Describes a simulated pod. */
function statusOf(pod: SimulatedPod, progress: Partial<PodProgress> = {}) {
  return describePod({
    plan: { ...pod.plan, qosClass: "BestEffort" },
    observed: pod.observed,
    probes: { of: (id) => pod.probes.get(id) ?? initial },
    waiting: new Map(),
    ...{ terminating: false, finished: false, failure: undefined, problem: undefined },
    ...{ hostIPs: ["192.0.2.10"], startTime: new Date(0) },
    ...progress,
  });
}

/** Returns the phase of a pod and what kubectl shows for it. */
function shown(pod: SimulatedPod, progress?: Partial<PodProgress>): string {
  const status = statusOf(pod, progress);
  const { ready, status: word, restarts } = podColumns(status);
  return `${status.phase}: ${ready} ${word} ${restarts}`;
}

describe("the status of a pod", () => {
  test("before, during and after its init containers", () => {
    const pod = new SimulatedPod([container("init", { kind: "init" }), container("main")]);
    expect(shown(pod)).toBe("Pending: 0/1 Init:0/1 0");
    pod.settle();
    expect(shown(pod)).toBe("Pending: 0/1 Init:0/1 0");
    pod.exit("init", 0);
    expect(shown(pod)).toBe("Pending: 0/1 PodInitializing 0");
    pod.settle();
    expect(shown(pod)).toBe("Running: 1/1 Running 0");
    expect(statusOf(pod).conditions).toEqual({
      PodReadyToStartContainers: true,
      Initialized: true,
      ContainersReady: true,
      Ready: true,
    });
  });

  test("whose sandbox cannot be created says why", () => {
    const pod = new SimulatedPod([container("main")]);
    const { state } = statusOf(pod, { problem: "no space left" }).containerStatuses[0]!;
    expect(state).toEqual({ waiting: { reason: "ContainerCreating", message: "no space left" } });
  });

  test("between restarts, with the exit before", () => {
    const pod = new SimulatedPod([container("main")]);
    pod.settle();
    pod.exit("main", 3);
    const waiting = new Map([["main", { reason: "CrashLoopBackOff", message: "back-off 10s" }]]);
    expect(shown(pod, { waiting })).toBe("Running: 0/1 CrashLoopBackOff 0");
    expect(statusOf(pod, { waiting }).containerStatuses[0]?.lastState?.terminated).toMatchObject({ exitCode: 3 });
    pod.settle();
    expect(shown(pod)).toBe("Running: 1/1 Running 1");
    expect(statusOf(pod).containerStatuses[0]?.lastState?.terminated).toMatchObject({ exitCode: 3, reason: "Error" });
  });

  test.each([
    [0, 0, "Succeeded: 0/2 Completed 0"],
    [0, 7, "Failed: 0/2 Completed 0"],
    [7, 0, "Failed: 0/2 Error 0"],
  ])("that has ended with the exit codes %d and %d", (first, second, expected) => {
    const restartPolicy = "Never" as const;
    const pod = new SimulatedPod([container("a", { restartPolicy }), container("b", { restartPolicy })], restartPolicy);
    pod.settle();
    pod.exit("a", first);
    pod.exit("b", second);
    expect(shown(pod, { finished: true })).toBe(expected);
  });

  test("that failed as a whole has the reason", () => {
    const pod = new SimulatedPod([container("main")]);
    pod.settle();
    const failure = { reason: "DeadlineExceeded", message: "too long" };
    expect(statusOf(pod, { failure })).toMatchObject({ phase: "Failed", ...failure, conditions: { Ready: false } });
  });

  test("whose readiness probe fails is running and not ready", () => {
    const probe = { exec: { command: ["check"] } };
    const pod = new SimulatedPod([container("main", { readinessProbe: probe, startupProbe: probe })]);
    pod.settle();
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({ started: false, ready: false });
    pod.probe("main", { readiness: false });
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({ started: true, ready: false });
    pod.probe("main", { readiness: true });
    expect(shown(pod)).toBe("Running: 1/1 Running 0");
  });

  test("that is being stopped is terminating", () => {
    const pod = new SimulatedPod([container("main")]);
    pod.settle();
    expect(shown(pod, { terminating: true })).toBe("Running: 1/1 Terminating 0");
  });

  test("whose container is lost says so", () => {
    const pod = new SimulatedPod([container("main")]);
    pod.settle();
    pod.setState("main", "unknown");
    expect(statusOf(pod).containerStatuses[0]?.state.terminated).toMatchObject({
      exitCode: 137,
      reason: "ContainerStatusUnknown",
    });
  });

  test("in the network of the node has the addresses of the node", () => {
    const pod = new SimulatedPod([container("main")]);
    expect(statusOf(pod).podIPs).toEqual([]);
    pod.settle();
    expect(statusOf(pod).podIPs).toEqual(["192.0.2.10"]);
  });
});
