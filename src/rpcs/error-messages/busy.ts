/** Whether a removal or a start was refused because the container is just being started. */
export function isStarting(details: string): boolean {
  // containerd: failed to set removing state for container "…": container is in starting state, can't be removed
  // containerd: failed to set starting state for container "…": container is already in starting state
  return /container is (already )?in starting state/.test(details);
}

/** Whether a stop or a removal failed because the runtime is still busy with the container, and has a chance a moment later. */
export function isBusy(details: string): boolean {
  // containerd, of a container whose end it has not taken note of yet:
  // failed to set removing state for container "…": container is still running, to stop first
  // failed to kill container "…": ttrpc: closed
  // Of a removal that goes on although its connection was cut:
  // containerd: failed to set removing state for container "…": container is already in removing state
  // Docker: failed to remove container "…": Error response from daemon: removal of container … is already in progress
  // CRI-O, when that one is done first: failed to delete container k8s_… in pod sandbox … from index: no such id: '…'
  const removed =
    /removal of container \S+ is already in progress|failed to delete container .* from index: no such id/;
  const busy = /container is (still running, to stop first|already in removing state)|ttrpc: closed/;
  return isStarting(details) || busy.test(details) || removed.test(details);
}

/**
 * Whether a created container can never be started, by the `info` of its verbose status. containerd up to 1.7 goes on with a
 * CreateContainer whose caller is gone, fails to learn the process id of the pod, and notes down 0.
 */
export function isStillborn(info: Readonly<Record<string, string>>): boolean {
  return /"path": ?"\/proc\/0\/ns\//.test(info.info ?? "");
}
