/** The labels of a kubelet on sandboxes and containers, by which the pod is found. */
export const podLabels = {
  name: "io.kubernetes.pod.name",
  namespace: "io.kubernetes.pod.namespace",
  uid: "io.kubernetes.pod.uid",
} as const;

/** The label of a kubelet on containers with the container's name. */
export const containerNameLabel = "io.kubernetes.container.name";

/**
 * The annotation with the hash of the pod's document. Sandboxes of this package have it, those of a kubelet do not. A sandbox with
 * another hash is of another version of the document, and is replaced.
 */
export const podHashAnnotation = "k8s-cri-client/pod-hash";

/**
 * Returns whether a pod was run from a manifest by this package: by `plan.run` or `runManifest`. Takes an entry of `pods.list` or a
 * status. `removePod` removes such a pod with its files; `remove` of a handle leaves them. Pods of a kubelet are not such pods.
 */
export function wasRunFromManifest(pod: { readonly annotations: Readonly<Record<string, string>> }): boolean {
  return Object.hasOwn(pod.annotations, podHashAnnotation);
}
