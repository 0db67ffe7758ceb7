import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { absolutePath, stringMap } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import type { RestoredContainer } from "../../proto.js";
import { restorePod as restoreRpc } from "../../rpcs/pods.js";
import { readContainerSpec } from "../../specs/container-config.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import { toPodSandboxConfig } from "../../specs/pod-config.js";
import { annotatePodConfig } from "../../specs/pod-config-annotation.js";
import type { PodSpec } from "../../specs/pod-spec.js";
import type { Connection } from "../../transport/connection.js";
import { annotateGracePeriod } from "../grace-period.js";
import type { MadePod } from "./made.js";

/** Options of `pods.restore`. Since Kubernetes 1.37 (alpha). */
export interface PodRestoreOptions extends CallOptions {
  /** The absolute path, on the node, of the archive that a checkpoint wrote. */
  checkpointPath: string;
  /** The containers to restore. */
  containers?: readonly ContainerSpec[] | undefined;
  /** Options that the runtime defines. */
  runtimeOptions?: Readonly<Record<string, string>> | undefined;
}

const restoreFields: FieldsOf<PodRestoreOptions> = {
  checkpointPath: true,
  containers: true,
  runtimeOptions: true,
  ...callOptionFields,
};

/** Checks the options and calls RestorePod. */
export async function restorePod(
  connection: Connection,
  spec: PodSpec,
  options: Partial<PodRestoreOptions> = {},
): Promise<{ made: MadePod; restoredContainers: RestoredContainer[] }> {
  checkOptions(options, restoreFields);
  const { checkpointPath, containers = [], runtimeOptions, ...callOptions } = options;
  const { runtimeHandler, terminationGracePeriodSeconds, ownLogDirectory, ...converted } = toPodSandboxConfig(spec);
  const config = annotated(converted.config, annotatePodConfig(converted.config));
  const request = {
    checkpointPath: absolutePath(checkpointPath, "checkpointPath"),
    config,
    runtimeHandler,
    containerConfigs: containers.map((container) => {
      const made = readContainerSpec(container).complete({ pod: config, terminationGracePeriodSeconds });
      return annotated(made.config, annotateGracePeriod(made.terminationGracePeriodSeconds));
    }),
    options: stringMap(runtimeOptions, "runtimeOptions"),
  };
  const { podSandboxId: id, restoredContainers } = await restoreRpc(connection, request, callOptions);
  const made = { id, config, terminationGracePeriodSeconds, ownLogDirectory, adopted: false };
  return { made, restoredContainers };
}

function annotated<T extends { annotations: Record<string, string> }>(config: T, more: Record<string, string>): T {
  return { ...config, annotations: { ...config.annotations, ...more } };
}
