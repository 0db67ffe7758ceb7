import { NamespaceMode, NamespaceOption } from "../../proto.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import type { PodContext } from "./pod-context.js";

/** The number of ids in the user namespace of a pod. */
const idsPerPod = 65_536;

/** Returns the namespaces of a pod and of all its containers. */
export function namespaceOptionsOf({ pod, userNamespace }: PodContext): NamespaceOption {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const { POD, CONTAINER, NODE } = NamespaceMode;
  const ids = userNamespace && [{ containerId: 0, ...userNamespace }];
  return NamespaceOption.create({
    network: hostNetwork === true ? NODE : POD,
    pid: hostPID === true ? NODE : shareProcessNamespace === true ? POD : CONTAINER,
    ipc: hostIPC === true ? NODE : POD,
    usernsOptions: ids ? { mode: POD, uids: ids, gids: ids } : { mode: NODE, uids: [], gids: [] },
  });
}

/**
 * Chooses the ids on the node for a pod in a user namespace. The pod's uid decides, so that the plan is the same for the same
 * document. Two pods can have the same ids; give one of them another uid to separate them.
 */
export function userNamespaceOf(
  { spec }: PodManifest,
  node: NodeConfig,
  hash: string,
): { hostId: number; length: number } | undefined {
  if (spec.hostUsers !== false) return undefined;
  const range = Number(BigInt(`0x${hash.slice(0, 16)}`) % BigInt(Math.max(1, node.userNamespaceRanges)));
  return { hostId: node.userNamespaceFirstId + range * idsPerPod, length: idsPerPod };
}
