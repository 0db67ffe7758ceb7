import { startError } from "../../resources/creation/start.js";
import type { RestartRuleManifest } from "../manifest/container.js";
import type { ContainerPlan } from "../planning/pod-plan-types.js";

type Rules = Pick<ContainerPlan, "kind" | "restartPolicy" | "restartPolicyRules">;

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly reason: string;
  readonly message?: string | undefined;
}

/**
 * Returns whether a container restarts after it ended: by the first of its rules that matches the exit code, else by its restart
 * policy. An init container that succeeded never does. A container whose start was interrupted always does.
 */
export function restartsAfter(container: Rules, end: ContainerEnd): boolean {
  if (isInterruptedStart(end)) return true;
  const { exitCode } = end;
  if (container.kind === "init" && exitCode === 0) return false;
  if (container.kind === "sidecar") return true;
  if (matchingRule(container, exitCode)) return true;
  const { restartPolicy } = container;
  return restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0);
}

/**
 * Returns whether the caller of StartContainer was killed or disconnected before the reply. containerd 1.6, 1.7 and 2.1 then cancel
 * the start, and kill the container if it runs already. Only the message of the error says so.
 */
export function isInterruptedStart({ reason, message = "" }: ContainerEnd): boolean {
  return reason === startError && /context canceled|failed to start shim: .*signal: killed/.test(message);
}

/** Returns whether the exit of a container restarts all containers of the pod (`RestartAllContainers`). */
export function restartsAll(container: Rules, exitCode: number): boolean {
  return matchingRule(container, exitCode)?.action === "RestartAllContainers";
}

function matchingRule({ restartPolicyRules }: Rules, exitCode: number): RestartRuleManifest | undefined {
  return restartPolicyRules.find(({ exitCodes }) => {
    const isListed = exitCodes.values.includes(exitCode);
    return exitCodes.operator === "In" ? isListed : !isListed;
  });
}
