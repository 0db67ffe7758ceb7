/** Returns whether the runtime refused a removal or a start because the container is starting. */
export function isStarting(details: string): boolean {
  // containerd: failed to set removing state for container "…": container is in starting state, can't be removed
  // containerd: failed to set starting state for container "…": container is already in starting state
  return /container is (already )?in starting state/.test(details);
}

/** Returns whether a stop or a removal failed because the runtime is still busy with the container, so that a retry may succeed. */
export function isBusy(details: string): boolean {
  // containerd, if it has not processed the exit of the container yet:
  // failed to set removing state for container "…": container is still running, to stop first
  // failed to kill container "…": ttrpc: closed
  // If a removal continues after its connection was lost:
  // containerd: failed to set removing state for container "…": container is already in removing state
  // Docker: failed to remove container "…": Error response from daemon: removal of container … is already in progress
  // CRI-O, when that removal is complete: failed to delete container k8s_… in pod sandbox … from index: no such id: '…'
  const removed =
    /removal of container \S+ is already in progress|failed to delete container .* from index: no such id/;
  const busy = /container is (still running, to stop first|already in removing state)|ttrpc: closed/;
  return isStarting(details) || busy.test(details) || removed.test(details);
}

/**
 * Returns whether a created container can never be started, judging by the `info` of its verbose status. containerd up to 1.7
 * continues a CreateContainer after its caller has disconnected, fails to get the process id of the pod, and stores 0.
 */
export function canNeverStart(info: Readonly<Record<string, string>>): boolean {
  return /"path": ?"\/proc\/0\/ns\//.test(info.info ?? "");
}
