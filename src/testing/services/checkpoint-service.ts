import type { ServerError } from "nice-grpc-common";
import { ContainerEventType, ContainerState, PodSandboxState } from "../../proto.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import type { ContainerRecord } from "../state/containers.js";
import { containerName, sandboxName } from "../state/names.js";
import type { PodRecord } from "../state/pods.js";
import { newContainer } from "./container-service.js";

/** The checkpoints by their path. No files are written. */
export interface Checkpoints {
  /** Whether the node has CRIU, which checkpoints processes. */
  readonly criu: boolean;
  readonly containers: Map<string, string>;
  readonly pods: Map<string, PodCheckpoint>;
}

/** A pod and its containers at the time of a checkpoint. */
export interface PodCheckpoint {
  readonly pod: PodRecord;
  readonly containers: readonly ContainerRecord[];
}

/** Handles the checkpoint RPCs in memory, without files. */
export function checkpointService(
  lifecycle: Lifecycle,
  checkpoints: Checkpoints,
): HandlersOf<"CheckpointContainer" | "CheckpointPod" | "RestorePod"> {
  const { state, flavor } = lifecycle;
  return {
    CheckpointContainer({ containerId, location }) {
      if (!checkpoints.criu && flavor.family === "cri-o") {
        throw rpcError("UNKNOWN", "checkpoint/restore support not available");
      }
      const container = state.containers.get(containerId, "CheckpointContainer");
      if (container.state !== ContainerState.CONTAINER_RUNNING) {
        const stateName = ContainerState[container.state];
        throw rpcError(
          "UNKNOWN",
          `container ${container.id} is in ${stateName} state: only running containers can be checkpointed`,
        );
      }
      if (!checkpoints.criu) throw withoutCriu(container.id);
      checkpoints.containers.set(location, container.id);
      return {};
    },

    CheckpointPod({ podSandboxId, outputPath, containerIds }, { deadline }) {
      if (!deadline) throw rpcError("INVALID_ARGUMENT", "CheckpointPod needs a deadline");
      const pod = state.pods.get(podSandboxId, "CheckpointPod");
      if (pod.state !== PodSandboxState.SANDBOX_READY)
        throw rpcError("FAILED_PRECONDITION", `sandbox "${pod.id}" is not ready`);
      if (outputPath === "") throw rpcError("INVALID_ARGUMENT", "output_path must be set");
      const wanted = containerIds.map((id) => state.containers.get(id, "CheckpointContainer"));
      const running = state.containers
        .ofPod(pod)
        .filter((container) => container.state === ContainerState.CONTAINER_RUNNING);
      checkpoints.pods.set(outputPath, { pod, containers: wanted.length > 0 ? wanted : running });
      return {};
    },

    async RestorePod({ checkpointPath, config, runtimeHandler, containerConfigs }, { deadline, signal }) {
      if (!deadline) throw rpcError("INVALID_ARGUMENT", "RestorePod needs a deadline");
      const checkpoint = checkpoints.pods.get(checkpointPath);
      if (!checkpoint) throw rpcError("NOT_FOUND", `checkpoint "${checkpointPath}" not found`);
      const podConfig = config ?? checkpoint.pod.config;
      const metadata = podConfig.metadata ?? checkpoint.pod.metadata;
      const id = state.ids.next();
      const name = sandboxName(metadata, flavor);
      const podSandboxId = await state.podNames.create(name, id, signal, async () => {
        const pod: PodRecord = {
          ...checkpoint.pod,
          id,
          name,
          metadata,
          config: podConfig,
          runtimeHandler: runtimeHandler || checkpoint.pod.runtimeHandler,
          createdAt: state.clock.now(),
          ip: state.pods.nextIp(podConfig),
          state: PodSandboxState.SANDBOX_READY,
        };
        state.pods.add(pod);
        lifecycle.announcePod(pod, ContainerEventType.CONTAINER_CREATED_EVENT);
        lifecycle.announcePod(pod, ContainerEventType.CONTAINER_STARTED_EVENT);
      });
      const pod = state.pods.get(podSandboxId, "PodSandboxStatus");
      const restoredContainers = [];
      for (const original of checkpoint.containers) {
        const replacement = containerConfigs.find((given) => given.metadata?.name === original.metadata.name);
        const restored = await restore(original, replacement ?? original.config, pod, lifecycle);
        restoredContainers.push({ name: restored.metadata.name, containerId: restored.id });
      }
      return { podSandboxId, restoredContainers };
    },
  };
}

function withoutCriu(id: string): ServerError {
  const reason = 'failed to check for criu version: exec: "criu": executable file not found in $PATH';
  return rpcError(
    "UNKNOWN",
    `CRIU binary not found or too old (<31600). Failed to checkpoint container "${id}": ${reason}`,
  );
}

async function restore(
  original: ContainerRecord,
  config: ContainerRecord["config"],
  pod: PodRecord,
  lifecycle: Lifecycle,
): Promise<ContainerRecord> {
  const { state, flavor } = lifecycle;
  const metadata = config.metadata ?? original.metadata;
  const name = containerName(metadata, pod.metadata, flavor);
  const identity = { id: state.ids.next(), name, pod, metadata, config, image: original.image };
  const container = newContainer({ ...identity, logDirectory: pod.config.logDirectory }, state.clock.now(), flavor);
  state.containerNames.hold(name, container.id);
  state.containers.add(container);
  lifecycle.announceCreated(container);
  await lifecycle.startContainer(container);
  return container;
}
