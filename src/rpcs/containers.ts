import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import {
  Container,
  type ContainerConfig,
  type ContainerFilter,
  ContainerStatus,
  type ContainerStatusResponse,
  type ExecSyncResponse,
  type PodSandboxConfig,
  type UpdateContainerResourcesRequest,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import type { ReplyMemory } from "../transport/reply-memory.js";
import { checkId, requireFields } from "./checked.js";
import { ignoreMissing } from "./failure.js";
import { invoke } from "./invoke.js";
import { batches, type ListCall, list } from "./list.js";
import { listInParts } from "./list-in-parts.js";

/** Calls CreateContainer, without the retries of `containers.create`. */
export async function createContainer(
  connection: Connection,
  pod: string,
  config: ContainerConfig,
  sandboxConfig: PodSandboxConfig,
  options?: CallOptions,
): Promise<string> {
  const podSandboxId = checkId(pod, "pod");
  const reply = await invoke(connection, options, (o) =>
    connection.runtime.createContainer({ podSandboxId, config, sandboxConfig }, o),
  );
  requireFields(connection, "RuntimeService/CreateContainer", { containerId: reply.containerId });
  return reply.containerId;
}

/** Calls StartContainer, without retries while the container is busy. */
export async function startContainer(connection: Connection, id: string, options?: CallOptions): Promise<void> {
  const containerId = checkId(id, "container");
  await invoke(connection, options, (o) => connection.runtime.startContainer({ containerId }, o));
}

/** Calls StopContainer. Succeeds if the container does not exist, even if the runtime answers NOT_FOUND. */
export async function stopContainer(
  connection: Connection,
  id: string,
  gracePeriodSeconds: number,
  options?: CallOptions,
): Promise<void> {
  const containerId = checkId(id, "container");
  await ignoreMissing(
    options,
    (pinned) =>
      invoke(connection, pinned, (o) =>
        connection.runtime.stopContainer({ containerId, timeout: gracePeriodSeconds }, o),
      ),
    (pinned) => containerStatus(connection, id, false, pinned),
  );
}

/** Calls RemoveContainer. Succeeds if the container does not exist, even if the runtime answers NOT_FOUND. */
export async function removeContainer(connection: Connection, id: string, options?: CallOptions): Promise<void> {
  const containerId = checkId(id, "container");
  await ignoreMissing(
    options,
    (pinned) => invoke(connection, pinned, (o) => connection.runtime.removeContainer({ containerId }, o)),
    (pinned) => containerStatus(connection, id, false, pinned),
  );
}

/** Calls ContainerStatus. Returns the whole reply. */
export async function containerStatus(
  connection: Connection,
  id: string,
  verbose: boolean,
  options?: CallOptions,
): Promise<ContainerStatusResponse & { status: ContainerStatus }> {
  const containerId = checkId(id, "container");
  const reply = await invoke(connection, options, (o) =>
    connection.runtime.containerStatus({ containerId, verbose }, o),
  );
  const { status } = reply;
  requireFields(connection, "RuntimeService/ContainerStatus", {
    status,
    "status.id": status?.id,
    "status.metadata.name": status?.metadata?.name,
    "status.createdAt": status?.createdAt,
    "status.image.image": status?.image?.image,
    "status.imageRef": status?.imageRef,
  });
  if (status) withToJson(ContainerStatus, status);
  return reply as typeof reply & { status: ContainerStatus };
}

/** Calls StreamContainers if the runtime has it, otherwise ListContainers. */
export function listContainers(
  connection: Connection,
  filter: ContainerFilter | undefined,
  options?: CallOptions,
  memory?: ReplyMemory,
): Promise<Container[]> {
  return list(connection, { ...containersCall(connection, filter), memory }, options);
}

/** Lists the same as {@link listContainers}, in parts. */
export function listContainersInParts(
  connection: Connection,
  filter: ContainerFilter | undefined,
  options?: CallOptions,
): AsyncIterable<readonly Container[]> {
  return listInParts(connection, containersCall(connection, filter), options);
}

function containersCall(connection: Connection, filter: ContainerFilter | undefined): ListCall<Container> {
  return {
    type: Container,
    streamRpc: "RuntimeService/StreamContainers",
    stream: (o) => batches(connection.runtime.streamContainers({ filter }, o), (reply) => reply.containers),
    unary: async (o) => (await connection.runtime.listContainers({ filter }, o)).containers,
    idOf: ({ id }) => id,
  };
}

/** Calls UpdateContainerResources. Values are absolute; fields that are not set keep their value. */
export async function updateContainerResources(
  connection: Connection,
  request: Partial<UpdateContainerResourcesRequest> & { containerId: string },
  options?: CallOptions,
): Promise<void> {
  const containerId = checkId(request.containerId, "container");
  await invoke(connection, options, (o) => connection.runtime.updateContainerResources({ ...request, containerId }, o));
}

/** Calls ReopenContainerLog. Fails unless the container is running. */
export async function reopenContainerLog(connection: Connection, id: string, options?: CallOptions): Promise<void> {
  const containerId = checkId(id, "container");
  await invoke(connection, options, (o) => connection.runtime.reopenContainerLog({ containerId }, o));
}

/** Calls CheckpointContainer, since Kubernetes 1.25. */
export async function checkpointContainer(
  connection: Connection,
  id: string,
  location: string,
  timeoutSeconds: number,
  options?: CallOptions,
): Promise<void> {
  const containerId = checkId(id, "container");
  await invoke(connection, options, (o) =>
    connection.runtime.checkpointContainer({ containerId, location, timeout: timeoutSeconds }, o),
  );
}

/** Calls ExecSync. Returns the reply unchanged. */
export function execSync(
  connection: Connection,
  id: string,
  cmd: string[],
  timeoutSeconds: number,
  options?: CallOptions,
): Promise<ExecSyncResponse> {
  const containerId = checkId(id, "container");
  return invoke(connection, options, (o) =>
    connection.runtime.execSync({ containerId, cmd, timeout: timeoutSeconds }, o),
  );
}
