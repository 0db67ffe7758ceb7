import { object } from "../input/object-reader.js";
import type { CriStream } from "../internal/stream.js";
import type { CallOptions } from "../options.js";
import type { Container, PodSandbox } from "../proto.js";
import { listContainers, listContainersInParts } from "../rpcs/containers.js";
import { listPodSandboxes, listPodSandboxesInParts } from "../rpcs/pods.js";
import type { Connection } from "../transport/connection.js";
import {
  type ContainerFilter,
  checkContainerFilter,
  containerFilterMessage,
  containerMatcher,
  containersOfPodFields,
  type PodContainerFilter,
} from "./container-filter.js";
import { listStream, only } from "./list-stream.js";
import { checkPodFilter, type PodFilter, podFilterMessage, podMatcher } from "./pod-filter.js";

/** Lists the pods that match a filter. CRI cannot filter by name, namespace and uid, so the client does. */
export async function listPods(
  connection: Connection,
  filter: PodFilter,
  options?: CallOptions,
): Promise<PodSandbox[]> {
  const { message, matches } = podSelection(filter);
  return (await listPodSandboxes(connection, message, options)).filter(matches);
}

/** Streams what {@link listPods} returns. */
export function iteratePods(
  connection: Connection,
  filter: PodFilter,
  options: CallOptions | undefined,
): CriStream<PodSandbox> {
  const { message, matches } = podSelection(filter);
  return listStream(connection, options, (o) => only(listPodSandboxesInParts(connection, message, o), matches));
}

function podSelection(filter: PodFilter) {
  const checked = checkPodFilter(filter);
  const { name, namespace, uid } = checked;
  return { message: podFilterMessage(checked), matches: podMatcher({ name, namespace, uid }) };
}

/** Lists the containers that match a filter. CRI cannot filter by name, so the client does. */
export async function listMatchingContainers(
  connection: Connection,
  filter: ContainerFilter,
  options?: CallOptions,
): Promise<Container[]> {
  const { message, matches } = containerSelection(filter);
  return (await listContainers(connection, message, options)).filter(matches);
}

/** Streams what {@link listMatchingContainers} returns. */
export function iterateContainers(
  connection: Connection,
  filter: ContainerFilter,
  options: CallOptions | undefined,
): CriStream<Container> {
  const { message, matches } = containerSelection(filter);
  return listStream(connection, options, (o) => only(listContainersInParts(connection, message, o), matches));
}

function containerSelection(filter: ContainerFilter) {
  const checked = checkContainerFilter(filter);
  const { name } = checked;
  return { message: containerFilterMessage(checked), matches: containerMatcher({ name }) };
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
