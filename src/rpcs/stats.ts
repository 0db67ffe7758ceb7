import { withToJson } from "../json/stringify.js";
import type { CallOptions } from "../options.js";
import {
  ContainerStats,
  type ContainerStatsFilter,
  type MetricDescriptor,
  PodSandboxMetrics,
  PodSandboxStats,
  type PodSandboxStatsFilter,
} from "../proto.js";
import type { Connection } from "../transport/connection.js";
import { checkId, requireFields } from "./checked.js";
import { invoke } from "./invoke.js";
import { batches, type ListCall, list } from "./list.js";
import { listInParts } from "./list-in-parts.js";

/** Calls ContainerStats. */
export async function containerStats(
  connection: Connection,
  id: string,
  options?: CallOptions,
): Promise<ContainerStats> {
  const containerId = checkId(id, "container");
  const { stats } = await invoke(connection, options, (o) => connection.runtime.containerStats({ containerId }, o));
  requireFields(connection, "RuntimeService/ContainerStats", { stats });
  return withToJson(ContainerStats, stats as ContainerStats);
}

/** Calls StreamContainerStats if the runtime has it, otherwise ListContainerStats. */
export function listContainerStats(
  connection: Connection,
  filter: ContainerStatsFilter | undefined,
  options?: CallOptions,
): Promise<ContainerStats[]> {
  return list(connection, containerStatsCall(connection, filter), options);
}

/** Lists the same as {@link listContainerStats}, in parts. */
export function listContainerStatsInParts(
  connection: Connection,
  filter: ContainerStatsFilter | undefined,
  options?: CallOptions,
): AsyncIterable<readonly ContainerStats[]> {
  return listInParts(connection, containerStatsCall(connection, filter), options);
}

function containerStatsCall(
  connection: Connection,
  filter: ContainerStatsFilter | undefined,
): ListCall<ContainerStats> {
  return {
    type: ContainerStats,
    streamRpc: "RuntimeService/StreamContainerStats",
    stream: (o) => batches(connection.runtime.streamContainerStats({ filter }, o), (reply) => reply.containerStats),
    unary: async (o) => (await connection.runtime.listContainerStats({ filter }, o)).stats,
    idOf: ({ attributes }) => attributes?.id,
  };
}

/** Calls PodSandboxStats. */
export async function podSandboxStats(
  connection: Connection,
  id: string,
  options?: CallOptions,
): Promise<PodSandboxStats> {
  const podSandboxId = checkId(id, "pod");
  const { stats } = await invoke(connection, options, (o) => connection.runtime.podSandboxStats({ podSandboxId }, o));
  requireFields(connection, "RuntimeService/PodSandboxStats", { stats });
  return withToJson(PodSandboxStats, stats as PodSandboxStats);
}

/** Calls StreamPodSandboxStats if the runtime has it, otherwise ListPodSandboxStats. */
export function listPodSandboxStats(
  connection: Connection,
  filter: PodSandboxStatsFilter | undefined,
  options?: CallOptions,
): Promise<PodSandboxStats[]> {
  return list(connection, podStatsCall(connection, filter), options);
}

/** Lists the same as {@link listPodSandboxStats}, in parts. */
export function listPodSandboxStatsInParts(
  connection: Connection,
  filter: PodSandboxStatsFilter | undefined,
  options?: CallOptions,
): AsyncIterable<readonly PodSandboxStats[]> {
  return listInParts(connection, podStatsCall(connection, filter), options);
}

function podStatsCall(connection: Connection, filter: PodSandboxStatsFilter | undefined): ListCall<PodSandboxStats> {
  return {
    type: PodSandboxStats,
    streamRpc: "RuntimeService/StreamPodSandboxStats",
    stream: (o) => batches(connection.runtime.streamPodSandboxStats({ filter }, o), (reply) => reply.podSandboxStats),
    unary: async (o) => (await connection.runtime.listPodSandboxStats({ filter }, o)).stats,
    idOf: ({ attributes }) => attributes?.id,
  };
}

/** Calls ListMetricDescriptors, since Kubernetes 1.26. */
export async function listMetricDescriptors(
  connection: Connection,
  options?: CallOptions,
): Promise<MetricDescriptor[]> {
  return (await invoke(connection, options, (o) => connection.runtime.listMetricDescriptors({}, o))).descriptors;
}

/** Calls StreamPodSandboxMetrics if the runtime has it, otherwise ListPodSandboxMetrics (since Kubernetes 1.26). */
export function listPodSandboxMetrics(connection: Connection, options?: CallOptions): Promise<PodSandboxMetrics[]> {
  return list(connection, podMetricsCall(connection), options);
}

/** Lists the same as {@link listPodSandboxMetrics}, in parts. */
export function listPodSandboxMetricsInParts(
  connection: Connection,
  options?: CallOptions,
): AsyncIterable<readonly PodSandboxMetrics[]> {
  return listInParts(connection, podMetricsCall(connection), options);
}

function podMetricsCall(connection: Connection): ListCall<PodSandboxMetrics> {
  return {
    type: PodSandboxMetrics,
    streamRpc: "RuntimeService/StreamPodSandboxMetrics",
    stream: (o) => batches(connection.runtime.streamPodSandboxMetrics({}, o), (reply) => reply.podSandboxMetrics),
    unary: async (o) => (await connection.runtime.listPodSandboxMetrics({}, o)).podMetrics,
    idOf: ({ podSandboxId }) => podSandboxId,
  };
}
