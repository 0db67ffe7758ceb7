import { stringMap } from "../input/check.js";
import { type FieldsOf, ObjectReader } from "../input/object-reader.js";
import type { CallOptions } from "../options.js";
import type { WindowsContainerResources } from "../proto.js";
import { updateContainerResources } from "../rpcs/containers.js";
import { updatePodSandboxResources } from "../rpcs/pods.js";
import { type OverheadSpec, type ResourcesSpec, toLinuxResources, toOverhead } from "../specs/resources.js";
import type { Connection } from "../transport/connection.js";

/** New resources of a container. Fields that are not set keep their value. */
export interface ContainerResourcesUpdate {
  /** Limits and requests as in a spec. */
  resources?: ResourcesSpec | undefined;
  /** Resources of a Windows container, as the wire message. */
  windows?: Partial<WindowsContainerResources> | undefined;
  /** Annotations for the runtime. */
  annotations?: Readonly<Record<string, string>> | undefined;
}

/** New resources of a pod, as absolute values. */
export interface PodResourcesUpdate {
  /** The sum of the resources of the containers. */
  resources?: ResourcesSpec | undefined;
  /** Resources that the pod needs beyond its containers, for example for a virtual machine. */
  overhead?: OverheadSpec | undefined;
}

const containerFields: FieldsOf<ContainerResourcesUpdate> = { resources: true, windows: true, annotations: true };
const podFields: FieldsOf<PodResourcesUpdate> = { resources: true, overhead: true };

/** Checks the update and calls UpdateContainerResources. */
export async function updateContainer(
  connection: Connection,
  containerId: string,
  update: ContainerResourcesUpdate,
  options?: CallOptions,
): Promise<void> {
  const given = new ObjectReader(update, "update", containerFields);
  const request = {
    containerId,
    annotations: given.read("annotations", stringMap),
    linux: given.read("resources", toLinuxResources),
    windows: update.windows as WindowsContainerResources | undefined,
  };
  await updateContainerResources(connection, request, options);
}

/** Checks the update and calls UpdatePodSandboxResources. */
export async function updatePod(
  connection: Connection,
  podSandboxId: string,
  update: PodResourcesUpdate,
  options?: CallOptions,
): Promise<void> {
  const given = new ObjectReader(update, "update", podFields);
  const message = {
    resources: given.read("resources", toLinuxResources),
    overhead: given.read("overhead", toOverhead),
  };
  await updatePodSandboxResources(connection, podSandboxId, message, options);
}
