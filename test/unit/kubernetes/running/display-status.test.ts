import { describe, expect, test } from "vitest";
import { podColumns } from "../../../../src/kubernetes/running/display-status.js";
import type {
  PodContainerState,
  PodContainerStatus,
  PodStatus,
} from "../../../../src/kubernetes/running/pod-status.js";

const running: PodContainerState = { running: { startedAt: new Date(0) } };
const waiting = (reason: string): PodContainerState => ({ waiting: { reason } });
const exited = (exitCode: number, reason = exitCode === 0 ? "Completed" : "Error"): PodContainerState => ({
  terminated: { exitCode, reason, startedAt: undefined, finishedAt: undefined },
});

function container(state: PodContainerState, fields: Partial<PodContainerStatus> = {}): PodContainerStatus {
  const ready = state.running !== undefined;
  return {
    ...{
      name: "c",
      sidecar: false,
      image: "",
      imageId: "",
      containerId: undefined,
      restartCount: 0,
      lastState: undefined,
    },
    ...{ state, ready, started: ready, ...fields },
  };
}

interface Shown {
  inits?: PodContainerStatus[];
  mains: PodContainerStatus[];
  pod?: Partial<PodStatus>;
}

function columns({ inits = [], mains, pod }: Shown): string {
  const initialized = inits.every(
    ({ sidecar, started, state }) => state.terminated?.exitCode === 0 || (sidecar && started),
  );
  const ready = initialized && mains.every((main) => main.ready);
  const status: PodStatus = {
    phase: "Running",
    terminating: false,
    conditions: { PodReadyToStartContainers: true, Initialized: initialized, ContainersReady: ready, Ready: ready },
    qosClass: "BestEffort",
    hostIPs: [],
    podIPs: [],
    startTime: undefined,
    initContainerStatuses: inits,
    containerStatuses: mains,
    ...pod,
  };
  const { ready: counts, status: word, restarts } = podColumns(status);
  return `${counts} ${word} ${restarts}`;
}

const creating = container(waiting("ContainerCreating"));
const initializing = container(waiting("PodInitializing"));
const sidecar = (state: PodContainerState, fields: Partial<PodContainerStatus> = {}) =>
  container(state, { sidecar: true, ...fields });

describe("the columns of kubectl get pod", () => {
  test.each<[string, Shown, string]>([
    ["a new pod", { mains: [], pod: { phase: "Pending" } }, "0/0 Pending 0"],
    [
      "containers that are created",
      { mains: [creating, creating], pod: { phase: "Pending" } },
      "0/2 ContainerCreating 0",
    ],
    ["running containers", { mains: [container(running), container(running)] }, "2/2 Running 0"],
    [
      "a container that is not ready",
      { mains: [container(running, { ready: false }), container(running)] },
      "1/2 Running 0",
    ],
    [
      "a missing image",
      { mains: [container(waiting("ImagePullBackOff"))], pod: { phase: "Pending" } },
      "0/1 ImagePullBackOff 0",
    ],
    ["a back-off", { mains: [container(waiting("CrashLoopBackOff"), { restartCount: 4 })] }, "0/1 CrashLoopBackOff 4"],
    ["one that fails beside one that runs", { mains: [container(running), container(exited(1))] }, "1/2 Error 0"],
    [
      "one that completed beside one that runs",
      { mains: [container(running), container(exited(0))] },
      "1/2 NotReady 0",
    ],
    ["a completed pod", { mains: [container(exited(0))], pod: { phase: "Succeeded" } }, "0/1 Completed 0"],
    ["a failed pod", { mains: [container(exited(3))], pod: { phase: "Failed" } }, "0/1 Error 0"],
    ["an exit without a reason", { mains: [container(exited(3, ""))], pod: { phase: "Failed" } }, "0/1 ExitCode:3 0"],
    ["too much memory", { mains: [container(exited(137, "OOMKilled"))] }, "0/1 OOMKilled 0"],
    [
      "a pod past its deadline",
      { mains: [], pod: { phase: "Failed", reason: "DeadlineExceeded" } },
      "0/0 DeadlineExceeded 0",
    ],
    ["a pod that is stopped", { mains: [container(running)], pod: { terminating: true } }, "1/1 Terminating 0"],
    [
      "a finished pod that is removed",
      { mains: [container(exited(0))], pod: { phase: "Succeeded", terminating: true } },
      "0/1 Completed 0",
    ],
    [
      "the first init container",
      { inits: [container(running), initializing], mains: [initializing] },
      "0/1 Init:0/2 0",
    ],
    [
      "the second init container",
      { inits: [container(exited(0)), container(running)], mains: [initializing] },
      "0/1 Init:1/2 0",
    ],
    ["an init container that failed", { inits: [container(exited(2))], mains: [initializing] }, "0/1 Init:Error 0"],
    [
      "an init container that backs off",
      { inits: [container(waiting("CrashLoopBackOff"), { restartCount: 2 }), initializing], mains: [initializing] },
      "0/1 Init:CrashLoopBackOff 2",
    ],
    [
      "a sidecar that starts",
      { inits: [sidecar(running, { started: false, ready: false })], mains: [initializing] },
      "0/2 Init:0/1 0",
    ],
    [
      "a sidecar beside its container",
      { inits: [sidecar(running, { restartCount: 1 })], mains: [container(running)] },
      "2/2 Running 1",
    ],
    [
      "restarts of finished init containers",
      { inits: [container(exited(0), { restartCount: 5 })], mains: [container(running, { restartCount: 2 })] },
      "1/1 Running 2",
    ],
    [
      "a sidecar that crashed after its container started",
      {
        inits: [sidecar(waiting("CrashLoopBackOff"))],
        mains: [container(running)],
        pod: {
          conditions: { PodReadyToStartContainers: true, Initialized: true, ContainersReady: false, Ready: false },
        },
      },
      "1/2 Init:CrashLoopBackOff 0",
    ],
  ])("%s", (_, shown, expected) => {
    expect(columns(shown)).toBe(expected);
  });
});
