import type { ContainerPlan } from "../planning/pod-plan-types.js";
import { currentRun, isBeforeRestart } from "./current-run.js";
import { initActions } from "./init-actions.js";
import { latestOf, type ObservedContainer, type ObservedPod } from "./observed-pod.js";
import { type ContainerStop, failedProbe, type PodActions, type PodSituation } from "./pod-situation.js";
import { restartsAfter } from "./restart-rules.js";

/** Decides what has to happen next with a pod, by the rules of the kubelet. Pure. */
export function podActions(situation: PodSituation): PodActions {
  const { plan, observed } = situation;
  const [sandbox] = observed.sandboxes;
  if (needsSandbox(plan, observed)) return sandboxActions(situation, (sandbox?.attempt ?? -1) + 1);
  const sandboxId = sandbox?.id;
  const current = currentRun(situation);
  const staleRunning = observed.containers.filter(
    (container) => container.state === "running" && isBeforeRestart(container, current.restartedAt),
  );
  if (staleRunning.length > 0) {
    const stop = staleRunning.map((container) => ({ container, reason: "RestartAllContainers" as const }));
    return { stopPod: false, createSandbox: undefined, sandboxId, stop, start: [] };
  }

  const stop: ContainerStop[] = [];
  const inits = initActions(current, stop);
  if (inits.failed) return finished(sandboxId);
  const start = [...inits.start];
  if (!inits.initialized) return { stopPod: false, createSandbox: undefined, sandboxId, stop, start };
  let kept = 0;
  const mains: ContainerPlan[] = [];
  for (const container of plan.containers.filter(({ kind }) => kind === "main")) {
    const status = current.statusOf(container);
    if (status?.state !== "running") {
      if (mayStart(container, status)) mains.push(container);
      if (status?.state === "unknown") stop.push({ container: status, reason: "UnknownState" });
      continue;
    }
    const reason = failedProbe(container, current.probes.of(status.id));
    if (!reason) kept++;
    else {
      stop.push({ container: status, reason });
      if (container.restartPolicy !== "Never") mains.push(container);
    }
  }
  if (kept === 0 && mains.length === 0 && stop.length === 0) return finished(sandboxId);
  return { stopPod: false, createSandbox: undefined, sandboxId, stop, start: [...start, ...mains] };
}

function mayStart(container: ContainerPlan, status: ObservedContainer | undefined): boolean {
  return status?.state !== "exited" || restartsAfter(container, status);
}

function needsSandbox({ hostNetwork }: PodSituation["plan"], { sandboxes }: ObservedPod): boolean {
  const [latest] = sandboxes;
  if (!latest?.ready || sandboxes.filter(({ ready }) => ready).length > 1) return true;
  return !hostNetwork && latest.podIPs.length === 0;
}

/** A sandbox is missing or has died: all containers are started again, unless the pod is finished. */
function sandboxActions({ plan, observed }: PodSituation, attempt: number): PodActions {
  const restartPolicy = plan.pod.spec.restartPolicy ?? "Always";
  const mains = plan.containers.filter(({ kind }) => kind === "main");
  const restartsOnFailure = restartPolicy !== "Never" || mains.some((one) => one.restartPolicy !== "Never");
  const hasRun = observed.containers.length > 0;
  const hasInitialized = mains.some(({ name }) => {
    const latest = latestOf(observed, name);
    return latest !== undefined && latest.sandboxId === observed.sandboxes[0]?.id;
  });
  const left = mains.filter((container) => {
    const latest = latestOf(observed, container.name);
    return !(latest?.state === "exited" && !restartsAfter(container, latest));
  });
  const isFinished = (!restartsOnFailure && attempt > 0 && hasRun) || (left.length === 0 && hasInitialized);
  if (isFinished) return finished(undefined);
  const isFirst = observed.sandboxes.length === 0;
  return { stopPod: !isFirst, createSandbox: { attempt }, sandboxId: undefined, stop: [], start: [] };
}

function finished(sandboxId: string | undefined): PodActions {
  return { stopPod: true, createSandbox: undefined, sandboxId, stop: [], start: [] };
}
