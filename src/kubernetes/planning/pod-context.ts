import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";

/** What all parts of a plan are computed from. */
export interface PodContext {
  /** The manifest with the defaults of the Kubernetes API. */
  pod: PodManifest;
  node: NodeConfig;
  objects: KubernetesObjects;
  namespace: string;
  uid: string;
  /** `<rootDirectory>/pods/<uid>`. */
  podDirectory: string;
  runtimeHandler: string;
  /** The pod's host name in the kernel and its DNS domain; empty if the pod has none. With `hostNetwork`, both are unused. */
  hostname: { name: string; domain: string };
  /** The ids on the node for the ids 0 to 65535 of the pod. Undefined: the pod shares the user ids of the node. */
  userNamespace: { hostId: number; length: number } | undefined;
}
