import type { ContainerPlan } from "../planning/pod-plan-types.js";
import type { CurrentRun } from "./current-run.js";
import { type ContainerStop, failedProbe } from "./pod-situation.js";
import { restartsAfter } from "./restart-rules.js";

/** What has to happen next with init containers and sidecars. */
export interface InitActions {
  /** Whether the main containers may start: all init containers have completed and all sidecars have started. */
  initialized: boolean;
  /** Whether an init container failed for good. */
  failed: boolean;
  start: ContainerPlan[];
}

/**
 * Decides what has to happen next with init containers and sidecars. Begins at the last one, because an earlier one has completed
 * if a later one exists, even if the runtime no longer lists it. Later on, only sidecars are kept running.
 *
 * @param stop gets the containers to stop
 */
export function initActions(run: CurrentRun, stop: ContainerStop[]): InitActions {
  const inits = run.containers.filter(({ kind }) => kind !== "main");
  const start: ContainerPlan[] = [];
  let initialized = run.hasMain || inits.length === 0;
  /** Whether a later container exists. */
  let isPast = run.hasMain;
  for (const [index, container] of [...inits.entries()].reverse()) {
    const status = run.statusOf(container);
    const isSidecar = container.kind === "sidecar";
    if (!status) {
      if (isPast && isSidecar) start.push(container);
      continue;
    }
    if (isPast && !isSidecar) continue;
    const proceed = () => {
      const next = inits[index + 1];
      if (!next) initialized = true;
      else if (!isPast) start.push(next);
    };
    if (status.state === "running") {
      const probes = run.probes.of(status.id);
      const reason = failedProbe(container, probes);
      if (isSidecar && (!container.startupProbe || probes.startup)) proceed();
      if (isSidecar && reason) {
        stop.push({ container: status, reason });
        start.push(container);
      }
    } else if (status.state === "exited" && !isSidecar) {
      if (restartsAfter(container, status)) start.push(container);
      else if (status.exitCode === 0) proceed();
      else return { initialized: false, failed: true, start: [] };
    } else {
      if (status.state === "unknown") stop.push({ container: status, reason: "UnknownState" });
      start.push(container);
    }
    isPast = true;
  }
  if (!isPast && inits[0]) start.push(inits[0]);
  return { initialized, failed: false, start: start.reverse() };
}
