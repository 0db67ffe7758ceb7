import { object } from "../input/object-reader.js";
import type { CallOptions } from "../options.js";
import type { Container, PodSandbox } from "../proto.js";
import { listContainers } from "../rpcs/containers.js";
import { listPodSandboxes } from "../rpcs/pods.js";
import type { Connection } from "../transport/connection.js";
import {
  type ContainerFilter,
  checkContainerFilter,
  containerFilterMessage,
  containersOfPodFields,
  type PodContainerFilter,
} from "./container-filter.js";
import { checkPodFilter, type PodFilter, podFilterMessage, podMatcher } from "./pod-filter.js";

/** Lists the pods that match a filter. CRI cannot filter by name, namespace and uid, so the client does. */
export async function listPods(
  connection: Connection,
  filter: PodFilter,
  options?: CallOptions,
): Promise<PodSandbox[]> {
  const checked = checkPodFilter(filter);
  const pods = await listPodSandboxes(connection, podFilterMessage(checked), options);
  const { name, namespace, uid } = checked;
  return pods.filter(podMatcher({ name, namespace, uid }));
}

/** Lists the containers that match a filter. CRI cannot filter by name, so the client does. */
export async function listMatchingContainers(
  connection: Connection,
  filter: ContainerFilter,
  options?: CallOptions,
): Promise<Container[]> {
  const checked = checkContainerFilter(filter);
  const { name } = checked;
  const containers = await listContainers(connection, containerFilterMessage(checked), options);
  return name === undefined ? containers : containers.filter(({ metadata }) => metadata?.name === name);
}

/** Lists the containers of one pod that match a filter. */
export async function listContainersOfPod(
  connection: Connection,
  pod: string,
  filter: PodContainerFilter,
  options?: CallOptions,
): Promise<Container[]> {
  // A `pod` in the filter would be overwritten silently.
  const given = object(filter, "filter", containersOfPodFields);
  return listMatchingContainers(connection, { ...given, pod }, options);
}
