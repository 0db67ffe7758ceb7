/** Returns which object has a reserved name; undefined if the error message is not about a reserved name. */
export function nameHolder(details: string): { id: string | undefined } | undefined {
  // containerd: failed to reserve sandbox name "n_ns_uid_0": name "n_ns_uid_0" is reserved for "<id>"
  const containerd = /is reserved for "?([0-9a-zA-Z_.-]+)"?/.exec(details);
  if (containerd) return { id: containerd[1] };
  // cri-dockerd: Conflict. The container name "/k8s_…" is already in use by container "<id>"
  const docker = / is already in use by container "?([0-9a-f]+)"?/.exec(details);
  if (docker) return { id: docker[1] };
  // CRI-O: error reserving ctr name k8s_… for id <id of the new container>: name is reserved
  if (/name is reserved\b/.test(details)) return { id: undefined };
  return undefined;
}
