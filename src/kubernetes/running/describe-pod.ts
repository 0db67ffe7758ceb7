import type { ContainerPlan, PodPlanParts } from "../planning/pod-plan-types.js";
import { currentRun } from "./current-run.js";
import { attemptsOf, type ObservedContainer } from "./observed-pod.js";
import type { PodSituation } from "./pod-situation.js";
import type { PodContainerState, PodContainerStatus, PodStatus } from "./pod-status.js";
import { restartsAfter } from "./restart-rules.js";

/** What the status of a pod contains beyond its situation. */
export interface PodProgress extends PodSituation {
  readonly plan: Pick<PodPlanParts, "containers" | "pod" | "hostNetwork" | "qosClass">;
  /** Why a container does not run, by its name: `CrashLoopBackOff`, `ErrImagePull` and so on. */
  readonly waiting: ReadonlyMap<string, { reason: string; message?: string | undefined }>;
  readonly terminating: boolean;
  /** Whether nothing will be started again. */
  readonly finished: boolean;
  /** Why the pod as a whole failed, such as `DeadlineExceeded`. */
  readonly failure: { reason: string; message: string } | undefined;
  /** Why no container can be created, such as an error of RunPodSandbox. */
  readonly problem: string | undefined;
  readonly hostIPs: readonly string[];
  readonly startTime: Date;
}

/** Describes a pod in the words of the Kubernetes API, by the rules of the kubelet. Pure. */
export function describePod(progress: PodProgress): PodStatus {
  const { plan, observed, hostIPs } = progress;
  const run = currentRun(progress);
  const [sandbox] = observed.sandboxes;
  const inits = plan.containers.filter(({ kind }) => kind !== "main");
  const mains = plan.containers.filter(({ kind }) => kind === "main");
  const initContainerStatuses = inits.map((container) =>
    describeContainer(progress, container, run.statusOf(container)),
  );
  const initialized = run.hasMain || initContainerStatuses.every(isInitialized);
  const containerStatuses = mains.map((container) => describeContainer(progress, container, run.statusOf(container)));
  const phase = phaseOf(progress, { initContainerStatuses, containerStatuses, initialized });
  const isOver = phase === "Succeeded" || phase === "Failed";
  const served = [...initContainerStatuses.filter(({ sidecar }) => sidecar), ...containerStatuses];
  const ready = !isOver && served.every((status) => status.ready);
  const podIPs = plan.hostNetwork && sandbox ? hostIPs : (sandbox?.podIPs ?? []);
  return {
    phase,
    reason: progress.failure?.reason,
    message: progress.failure?.message,
    terminating: progress.terminating,
    conditions: {
      PodReadyToStartContainers: sandbox?.ready === true,
      Initialized: initialized || phase === "Succeeded",
      ContainersReady: ready,
      Ready: ready,
    },
    qosClass: plan.qosClass,
    hostIPs,
    podIPs,
    startTime: progress.startTime,
    initContainerStatuses,
    containerStatuses,
  };
}

function describeContainer(
  progress: PodProgress,
  container: ContainerPlan,
  current: ObservedContainer | undefined,
): PodContainerStatus {
  const { plan, observed, probes, waiting } = progress;
  const hasInits = plan.containers.some(({ kind }) => kind !== "main");
  const attempts = attemptsOf(observed, container.name);
  const shown = current ?? attempts[0];
  const reason = waiting.get(container.name);
  const isRunning = current?.state === "running";
  const isDone = current?.state === "exited" || current?.state === "unknown";
  const isWaiting = !isRunning && (!isDone || (reason !== undefined && !progress.finished));
  const previous = isWaiting && isEnded(shown) ? shown : attempts.find((one) => one !== shown && isEnded(one));
  const probe = probes.of(shown?.id ?? "");
  const started = isRunning && (!container.startupProbe || probe.startup === true);
  const hasReadiness = container.readinessProbe !== undefined && container.kind !== "init";
  const completed = container.kind === "init" && current?.state === "exited" && current.exitCode === 0;
  return {
    name: container.name,
    sidecar: container.kind === "sidecar",
    image: shown?.image || container.image.reference,
    imageId: shown?.imageId ?? "",
    containerId: shown?.id,
    ready: completed || (container.kind !== "init" && started && (!hasReadiness || probe.readiness)),
    started,
    restartCount: Math.max(0, ...attempts.map(({ attempt }) => attempt)),
    state: isWaiting
      ? {
          waiting: reason ?? {
            reason: hasInits ? "PodInitializing" : "ContainerCreating",
            message: progress.problem,
          },
        }
      : stateOf(shown as ObservedContainer),
    lastState: previous && stateOf(previous),
  };
}

function isEnded(container: ObservedContainer | undefined): boolean {
  return container?.state === "exited" || container?.state === "unknown";
}

function stateOf(container: ObservedContainer): PodContainerState {
  const { state, startedAt, finishedAt, exitCode, reason, message } = container;
  if (state === "running") return { running: { startedAt: new Date(startedAt) } };
  if (state === "unknown") {
    const lost = "the runtime no longer knows the state of the container";
    return {
      terminated: {
        exitCode: 137,
        reason: "ContainerStatusUnknown",
        message: lost,
        startedAt: date(startedAt),
        finishedAt: undefined,
      },
    };
  }
  return {
    terminated: {
      exitCode,
      reason: reason || (exitCode === 0 ? "Completed" : "Error"),
      message: message || undefined,
      startedAt: date(startedAt),
      finishedAt: date(finishedAt),
    },
  };
}

function date(time: number): Date | undefined {
  return time > 0 ? new Date(time) : undefined;
}

function isInitialized({ sidecar, started, state }: PodContainerStatus): boolean {
  return sidecar ? started : state.terminated?.exitCode === 0;
}

interface Containers extends Pick<PodStatus, "initContainerStatuses" | "containerStatuses"> {
  initialized: boolean;
}

function phaseOf(
  { plan, finished, failure }: PodProgress,
  { initContainerStatuses, containerStatuses, initialized }: Containers,
): PodStatus["phase"] {
  if (failure) return "Failed";
  const planOf = (name: string) => plan.containers.find((one) => one.name === name) as ContainerPlan;
  const initFailed = initContainerStatuses.some(
    ({ name, state: { terminated } }) =>
      terminated && terminated.exitCode !== 0 && !restartsAfter(planOf(name), terminated),
  );
  if (initFailed) return "Failed";
  const ended = containerStatuses.map(
    ({ state, lastState }) => state.terminated ?? (state.waiting && lastState?.terminated),
  );
  const isRunning = containerStatuses.some(({ state }) => state.running);
  if (finished) return ended.length > 0 && ended.every((end) => end?.exitCode === 0) ? "Succeeded" : "Failed";
  if (!initialized) return "Pending";
  const hasWaiting = containerStatuses.some(({ state }, index) => state.waiting && !ended[index]);
  if (hasWaiting) return "Pending";
  if (isRunning) return "Running";
  const willRestart = containerStatuses.some(({ name }, index) => {
    const end = ended[index];
    return end && restartsAfter(planOf(name), end);
  });
  if (willRestart) return "Running";
  return ended.every((end) => end?.exitCode === 0) ? "Succeeded" : "Failed";
}
