import type { ClientContext } from "../../resources/context.js";
import { execSync } from "../../resources/sessions/exec-sync.js";
import type { ContainerFacts, ContainerPlan, PodPlanParts } from "../planning/pod-plan-types.js";
import type { HookTarget } from "./hooks.js";
import type { ObservedContainer } from "./observed-pod.js";
import type { PodEventReason } from "./pod-event.js";
import type { ProbeTarget } from "./probes/probe.js";
import type { Clock } from "./probes/probe-clock.js";

/** What all work on the containers of a pod needs. */
export interface PodContext {
  readonly client: ClientContext;
  readonly clock: Clock;
  emit(reason: PodEventReason, message: string, container?: string): void;
}

/** What the parts of a runner share. */
export interface RunnerContext extends PodContext {
  readonly plan: PodPlanParts;
}

/** Returns one running attempt of a container as hooks reach it. */
export function hookTarget(
  { client }: PodContext,
  container: HookTarget["container"],
  { id }: Pick<ObservedContainer, "id">,
  podIPs: readonly string[],
): HookTarget {
  return {
    container,
    podIPs,
    execSync: async (command, commandTimeoutSeconds, signal) => {
      const options = { commandTimeoutSeconds, signal, encoding: "utf8" } as const;
      const { exitCode, stdout, stderr } = await execSync(client.connection, id, command, options);
      return { exitCode, output: `${stdout}${stderr}` };
    },
  };
}

/** Returns one running attempt of a container as probes reach it. Unlike in hooks, `$(VAR)` in their commands is replaced. */
export function probeTarget(
  context: PodContext,
  container: ContainerPlan,
  observed: ObservedContainer,
  podIPs: readonly string[],
): ProbeTarget {
  const target = hookTarget(context, container, observed, podIPs);
  const { sandboxId: podSandboxId, attempt, imageId } = observed;
  const facts: ContainerFacts = { podSandboxId, podIPs, attempt, image: { id: imageId }, imageVolumes: {} };
  const execSync: ProbeTarget["execSync"] = (command, timeoutSeconds, signal) =>
    target.execSync(container.expand(command, facts), timeoutSeconds, signal);
  return { container, startedAt: new Date(observed.startedAt), podIPs, execSync };
}
