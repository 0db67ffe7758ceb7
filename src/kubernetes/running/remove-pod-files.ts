import { dirname } from "node:path";
import { removePodCgroup } from "../node/pod-cgroup.js";
import { type PodRecord, removePodDirectory } from "../node/pod-record.js";
import { removeDirectory } from "../node/remove-directory.js";

/**
 * Removes what a pod has on the node beside its containers: its control group, its logs and its directory. The directory goes last,
 * because it contains the record by which a later run finds the rest.
 */
export async function removePodFiles(
  { cgroup, logDirectory, ...pod }: Pick<PodRecord, "cgroup" | "logDirectory" | "podDirectory" | "namespace" | "name">,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (cgroup) await removePodCgroup(cgroup);
  await removeDirectory(logDirectory, { signal });
  await removePodDirectory({ ...pod, podsDirectory: dirname(pod.podDirectory) }, { signal });
}
