import { callOptionFields, checkOptions, type FieldsOf } from "../input/call-options.js";
import { absolutePath, stringMap } from "../input/check.js";
import type { CallOptions } from "../options.js";
import { checkpointContainer as containerRpc } from "../rpcs/containers.js";
import { checkpointPod as podRpc } from "../rpcs/pods.js";
import type { Connection } from "../transport/connection.js";
import { wholeSeconds } from "./grace-period.js";
import { type ContainerTarget, idOf } from "./target.js";

/** Options of CheckpointContainer. */
export interface CheckpointOptions extends CallOptions {
  /** Absolute path on the node for the archive. */
  outputPath: string;
  /** The time limit of the checkpoint in the runtime, in whole seconds; 0 means the runtime's own limit. @defaultValue 0 */
  checkpointTimeoutSeconds?: number | undefined;
}

/** Options of CheckpointPod. Since Kubernetes 1.37 (alpha). */
export interface PodCheckpointOptions extends CallOptions {
  /** Absolute path on the node for the archive. */
  outputPath: string;
  /** The containers to include. @defaultValue all containers of the pod */
  containers?: readonly ContainerTarget[] | undefined;
  /** Options that the runtime defines. */
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

const checkpointFields: FieldsOf<CheckpointOptions> = {
  outputPath: true,
  checkpointTimeoutSeconds: true,
  ...callOptionFields,
};

const podCheckpointFields: FieldsOf<PodCheckpointOptions> = {
  outputPath: true,
  containers: true,
  runtimeOptions: true,
  ...callOptionFields,
};

/** Checks the options and calls CheckpointContainer. */
export async function checkpointContainer(
  connection: Connection,
  containerId: string,
  options: Partial<CheckpointOptions> = {},
): Promise<void> {
  checkOptions(options, checkpointFields);
  const { outputPath, checkpointTimeoutSeconds = 0, ...callOptions } = options;
  const path = absolutePath(outputPath, "outputPath");
  const seconds = wholeSeconds(checkpointTimeoutSeconds, "checkpointTimeoutSeconds");
  await containerRpc(connection, containerId, path, seconds, callOptions);
}

/** Checks the options and calls CheckpointPod. */
export async function checkpointPod(
  connection: Connection,
  podSandboxId: string,
  options: Partial<PodCheckpointOptions> = {},
): Promise<void> {
  checkOptions(options, podCheckpointFields);
  const { outputPath, containers = [], runtimeOptions, ...callOptions } = options;
  const request = {
    podSandboxId,
    outputPath: absolutePath(outputPath, "outputPath"),
    containerIds: containers.map((container, index) => idOf(container, `containers[${index}]`)),
    options: stringMap(runtimeOptions, "runtimeOptions"),
  };
  await podRpc(connection, request, callOptions);
}
