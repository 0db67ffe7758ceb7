import type { RestartRuleManifest } from "../manifest/container.js";
import type { ContainerPlan } from "../planning/pod-plan-types.js";

type Rules = Pick<ContainerPlan, "kind" | "restartPolicy" | "restartPolicyRules">;

/**
 * Returns whether a container restarts after it exited: by the first of its rules that matches the exit code, else by its restart
 * policy. An init container that succeeded never does.
 */
export function restartsAfter(container: Rules, exitCode: number): boolean {
  if (container.kind === "init" && exitCode === 0) return false;
  if (container.kind === "sidecar") return true;
  if (matchingRule(container, exitCode)) return true;
  const { restartPolicy } = container;
  return restartPolicy === "Always" || (restartPolicy === "OnFailure" && exitCode !== 0);
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
