import { removeDirectory } from "../node/remove-directory.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";

/** Removes what a pod has on the node beside its containers: its logs and its directory. The record of the pod goes last. */
export async function removePodFiles(
  { logDirectory, podDirectory }: Pick<PodPlanParts, "logDirectory" | "podDirectory">,
  signal: AbortSignal | undefined,
): Promise<void> {
  await removeDirectory(logDirectory, { signal });
  await removeDirectory(podDirectory, { signal });
}
