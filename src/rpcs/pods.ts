import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import {
  type CheckpointPodRequest,
  type LinuxContainerResources,
  PodSandbox,
  type PodSandboxConfig,
  type PodSandboxFilter,
  PodSandboxStatus,
  type PodSandboxStatusResponse,
  type RestorePodRequest,
  type RestorePodResponse,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import type { ReplyMemory } from "../transport/reply-memory.js";
import { checkId, requireFields } from "./checked.js";
import { ignoreMissing } from "./failure.js";
import { invoke } from "./invoke.js";
import { batches, type ListCall, list } from "./list.js";
import { listInParts } from "./list-in-parts.js";

/** Calls RunPodSandbox, without the retries of `pods.run`. */
export async function runPodSandbox(
  connection: Connection,
  config: PodSandboxConfig,
  runtimeHandler: string,
  options?: CallOptions,
): Promise<string> {
  const reply = await invoke(connection, options, (o) =>
    connection.runtime.runPodSandbox({ config, runtimeHandler }, o),
  );
  requireFields(connection, "RuntimeService/RunPodSandbox", { podSandboxId: reply.podSandboxId });
  return reply.podSandboxId;
}

/** Calls StopPodSandbox. Succeeds if the pod does not exist, even if the runtime answers NOT_FOUND. */
export async function stopPodSandbox(connection: Connection, id: string, options?: CallOptions): Promise<void> {
  const podSandboxId = checkId(id, "pod");
  await ignoreMissing(
    options,
    (pinned) => invoke(connection, pinned, (o) => connection.runtime.stopPodSandbox({ podSandboxId }, o)),
    (pinned) => podSandboxStatus(connection, id, false, pinned),
  );
}

/** Calls RemovePodSandbox. Succeeds if the pod does not exist, even if the runtime answers NOT_FOUND. */
export async function removePodSandbox(connection: Connection, id: string, options?: CallOptions): Promise<void> {
  const podSandboxId = checkId(id, "pod");
  await ignoreMissing(
    options,
    (pinned) => invoke(connection, pinned, (o) => connection.runtime.removePodSandbox({ podSandboxId }, o)),
    (pinned) => podSandboxStatus(connection, id, false, pinned),
  );
}

/** Calls PodSandboxStatus. Returns the whole reply. */
export async function podSandboxStatus(
  connection: Connection,
  id: string,
  verbose: boolean,
  options?: CallOptions,
): Promise<PodSandboxStatusResponse & { status: PodSandboxStatus }> {
  const podSandboxId = checkId(id, "pod");
  const reply = await invoke(connection, options, (o) =>
    connection.runtime.podSandboxStatus({ podSandboxId, verbose }, o),
  );
  const { status } = reply;
  requireFields(connection, "RuntimeService/PodSandboxStatus", {
    status,
    "status.id": status?.id,
    "status.metadata": status?.metadata,
    "status.metadata.name": status?.metadata?.name,
    "status.metadata.namespace": status?.metadata?.namespace,
    "status.metadata.uid": status?.metadata?.uid,
    "status.createdAt": status?.createdAt,
  });
  if (status) withToJson(PodSandboxStatus, status);
  return reply as typeof reply & { status: PodSandboxStatus };
}

/** Calls StreamPodSandboxes if the runtime has it, otherwise ListPodSandbox. */
export function listPodSandboxes(
  connection: Connection,
  filter: PodSandboxFilter | undefined,
  options?: CallOptions,
  memory?: ReplyMemory,
): Promise<PodSandbox[]> {
  return list(connection, { ...podsCall(connection, filter), memory }, options);
}

/** Lists the same as {@link listPodSandboxes}, in parts. */
export function listPodSandboxesInParts(
  connection: Connection,
  filter: PodSandboxFilter | undefined,
  options?: CallOptions,
): AsyncIterable<readonly PodSandbox[]> {
  return listInParts(connection, podsCall(connection, filter), options);
}

function podsCall(connection: Connection, filter: PodSandboxFilter | undefined): ListCall<PodSandbox> {
  return {
    type: PodSandbox,
    streamRpc: "RuntimeService/StreamPodSandboxes",
    stream: (o) => batches(connection.runtime.streamPodSandboxes({ filter }, o), (reply) => reply.podSandboxes),
    unary: async (o) => (await connection.runtime.listPodSandbox({ filter }, o)).items,
    idOf: ({ id }) => id,
  };
}

/** Calls UpdatePodSandboxResources, since Kubernetes 1.33. */
export async function updatePodSandboxResources(
  connection: Connection,
  id: string,
  update: { overhead?: LinuxContainerResources | undefined; resources?: LinuxContainerResources | undefined },
  options?: CallOptions,
): Promise<void> {
  const podSandboxId = checkId(id, "pod");
  await invoke(connection, options, (o) =>
    connection.runtime.updatePodSandboxResources({ podSandboxId, ...update }, o),
  );
}

/** Calls CheckpointPod, since Kubernetes 1.37 (alpha). */
export async function checkpointPod(
  connection: Connection,
  request: CheckpointPodRequest,
  options?: CallOptions,
): Promise<void> {
  const podSandboxId = checkId(request.podSandboxId, "pod");
  await invoke(connection, options, (o) => connection.runtime.checkpointPod({ ...request, podSandboxId }, o));
}

/** Calls RestorePod, since Kubernetes 1.37 (alpha). */
export async function restorePod(
  connection: Connection,
  request: RestorePodRequest,
  options?: CallOptions,
): Promise<RestorePodResponse> {
  const reply = await invoke(connection, options, (o) => connection.runtime.restorePod(request, o));
  requireFields(connection, "RuntimeService/RestorePod", { podSandboxId: reply.podSandboxId });
  return reply;
}
