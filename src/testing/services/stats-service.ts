import type { ServerError } from "nice-grpc-common";
import {
  ContainerState,
  type ContainerStats,
  type ContainerStatsFilter,
  PodSandboxState,
  type PodSandboxStats,
  type PodSandboxStatsFilter,
} from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import type { ContainerRecord } from "../state/containers.js";
import { matchesLabels } from "../state/ids.js";
import type { PodRecord } from "../state/pods.js";
import { containerUsage, podUsage } from "./usage.js";

type StatsRpc = "ContainerStats" | "ListContainerStats" | "PodSandboxStats" | "ListPodSandboxStats";

/** Handles the statistics RPCs. */
export function statsService(lifecycle: Lifecycle): HandlersOf<StatsRpc> {
  const { state, flavor } = lifecycle;
  const statsOfContainer = (container: ContainerRecord): ContainerStats =>
    containerUsage(container, state.clock.now(), flavor);
  const statsOfPod = (pod: PodRecord): PodSandboxStats => {
    const running = state.containers.ofPod(pod).filter((c) => c.state === ContainerState.CONTAINER_RUNNING);
    // All figures have one timestamp, so that rates computed from them are correct.
    const now = state.clock.now();
    const measured = running.map((container) => containerUsage(container, now, flavor));
    return podUsage(pod, measured, now, flavor);
  };

  return {
    ContainerStats({ containerId }) {
      const container = state.containers.get(containerId, "ContainerStats");
      if (container.state !== ContainerState.CONTAINER_RUNNING && flavor.family === "containerd") {
        throw rpcError("UNKNOWN", "unexpected metrics response: []");
      }
      return { stats: statsOfContainer(container) };
    },

    ListContainerStats: ({ filter }) => ({ stats: listContainers(filter, lifecycle).map(statsOfContainer) }),

    PodSandboxStats({ podSandboxId }) {
      const pod = state.pods.get(podSandboxId, "PodSandboxStats");
      if (pod.state !== PodSandboxState.SANDBOX_READY) {
        const reason = `failed to get pod sandbox stats since sandbox container "${pod.id}" is not in ready state: unavailable`;
        if (flavor.name !== "containerd-2") throw rpcError("UNKNOWN", reason);
        throw rpcError("UNAVAILABLE", `failed to decode pod sandbox metrics ${pod.id}: ${reason}`);
      }
      if (lacksCgroup(pod, flavor)) throw noCgroupError(pod, `failed to decode pod sandbox metrics ${pod.id}`, flavor);
      return { stats: statsOfPod(pod) };
    },

    ListPodSandboxStats({ filter }) {
      const pods = listPods(filter, lifecycle);
      // One pod without a control group makes the whole list fail.
      const bad = pods.find((pod) => lacksCgroup(pod, flavor));
      if (bad) throw noCgroupError(bad, `failed to decode sandbox container metrics for sandbox "${bad.id}"`, flavor);
      return { stats: pods.map(statsOfPod) };
    },
  };
}

/**
 * Returns whether the statistics of a pod fail because its configuration names no control group. containerd reads the statistics
 * from that group.
 */
function lacksCgroup(pod: PodRecord, { statsNeedCgroupParent }: FlavorProfile): boolean {
  return statsNeedCgroupParent && !pod.config.linux?.cgroupParent;
}

function noCgroupError({ id }: PodRecord, context: string, flavor: FlavorProfile): ServerError {
  const [major = 0, minor = 0] = flavor.runtimeVersion.split(".").map(Number);
  const isRecent = major > 2 || (major === 2 && minor >= 4);
  const why = isRecent
    ? `sandbox "${id}" has no cgroup parent`
    : `failed to get cgroup metrics for sandbox ${id} because cgroupPath is empty`;
  const reason = `failed getting metrics for sandbox ${id}: ${why}`;
  return rpcError("UNKNOWN", flavor.name === "containerd-1.6" ? reason : `${context}: ${reason}`);
}

function listContainers(filter: ContainerStatsFilter | undefined, { state }: Lifecycle): ContainerRecord[] {
  return state.containers.list(filter && { ...filter, state: undefined }, (id) => state.pods.complete(id));
}

function listPods(filter: PodSandboxStatsFilter | undefined, { state }: Lifecycle): PodRecord[] {
  return state.pods
    .list(filter?.id ? { id: filter.id, state: undefined, labelSelector: {} } : undefined)
    .filter((pod) => pod.state === PodSandboxState.SANDBOX_READY)
    .filter((pod) => matchesLabels(pod.config.labels, filter?.labelSelector));
}
