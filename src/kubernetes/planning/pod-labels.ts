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
