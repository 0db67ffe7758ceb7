import {
  type LinuxContainerResources,
  NamespaceMode,
  type PodSandbox,
  type PodSandboxConfig,
  type PodSandboxFilter,
  type PodSandboxMetadata,
  PodSandboxState,
  PodSandboxStatus,
} from "../../proto.js";
import { toLong } from "./clock.js";
import { IdMap, matchesLabels } from "./ids.js";
import { nameParseError } from "./names.js";

/** The state of a pod sandbox. */
export interface PodRecord {
  readonly id: string;
  /** The name that is reserved for this pod. */
  readonly name: string;
  readonly metadata: PodSandboxMetadata;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly createdAt: bigint;
  readonly ip: string;
  readonly pid: number;
  state: PodSandboxState;
  /** The resources that RunPodSandbox or UpdatePodSandboxResources set. */
  resources: LinuxContainerResources | undefined;
  overhead: LinuxContainerResources | undefined;
}

/** The pod sandboxes of a runtime. */
export class PodStore extends IdMap<PodRecord> {
  #addresses = 1;

  /** Returns the next address of the pod network, or an empty string for a pod on the host's network. */
  nextIp(config: PodSandboxConfig): string {
    if (config.linux?.securityContext?.namespaceOptions?.network === NamespaceMode.NODE) return "";
    const host = ++this.#addresses;
    return `10.88.${(host >> 8) & 0xff}.${host & 0xff}`;
  }

  /** Removes a pod if it is not ready, without an event. Returns whether it was removed. */
  removeIdle(id: string): boolean {
    const pod = this.all.find((each) => each.id === id);
    if (!pod || pod.state === PodSandboxState.SANDBOX_READY) return false;
    this.delete(pod);
    return true;
  }

  list(filter: PodSandboxFilter | undefined): PodRecord[] {
    const id = filter?.id ? this.complete(filter.id) : undefined;
    return this.all.filter(
      (pod) =>
        (id === undefined || pod.id === id) &&
        (filter?.state === undefined || pod.state === filter.state.state) &&
        nameParseError("sandbox", pod.name, this.flavor) === undefined &&
        matchesLabels(pod.config.labels, filter?.labelSelector),
    );
  }
}

/** Converts a pod to its message in a list. */
export function toPodSandbox(pod: PodRecord): PodSandbox {
  return {
    id: pod.id,
    metadata: pod.metadata,
    state: pod.state,
    createdAt: toLong(pod.createdAt),
    labels: pod.config.labels,
    annotations: pod.config.annotations,
    runtimeHandler: pod.runtimeHandler,
  };
}

/** Converts a pod to its status. */
export function toPodStatus(pod: PodRecord): PodSandboxStatus {
  const ready = pod.state === PodSandboxState.SANDBOX_READY;
  return PodSandboxStatus.fromPartial({
    ...toPodSandbox(pod),
    network: { ip: ready ? pod.ip : "", additionalIps: [] },
    linux: { namespaces: { options: pod.config.linux?.securityContext?.namespaceOptions ?? {} } },
  });
}
