import type { ContainerManifest } from "../manifest/container.js";
import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import { namespaceIn } from "./named-object.js";

/** What all parts of a plan are computed from. */
export interface PodContext {
  /** The manifest with the defaults of the Kubernetes API. */
  pod: PodManifest;
  uid: string;
  /** `<rootDirectory>/pods/<uid>`. */
  podDirectory: string;
  /** The pod's name in the kernel and in the hosts file. */
  hostname: string;
  /** The domain of the pod's name in the hosts file: `<subdomain>.<namespace>.svc.<cluster domain>`. Empty: none. */
  hostDomain: string;
  runtimeHandler: string;
  /** The memory limit of the whole pod; undefined if it has none. */
  podMemoryLimitBytes: bigint | undefined;
  /** The ids on the node for the ids 0 to 65535 of the pod. Undefined: the pod shares the user ids of the node. */
  userNamespace: { hostId: number; length: number } | undefined;
  node: NodeConfig;
  objects: KubernetesObjects;
  tokens: readonly ServiceAccountToken[];
}

/** A token for the `serviceAccountToken` sources of projected volumes. */
export interface ServiceAccountToken {
  /** The `audience` of the sources that contain this token. @defaultValue the sources without an audience */
  audience?: string | undefined;
  /** The token. Never printed. */
  token: string;
}

/** Returns the namespace of the pod. */
export function namespaceOf({ pod }: { pod: PodManifest }): string {
  return namespaceIn(pod);
}

/** Returns the path of a container in its document, such as `spec.initContainers[0]`. */
export function containerPath({ spec }: PodManifest, container: ContainerManifest): string {
  const init = spec.initContainers?.indexOf(container) ?? -1;
  return init >= 0 ? `spec.initContainers[${init}]` : `spec.containers[${spec.containers.indexOf(container)}]`;
}
