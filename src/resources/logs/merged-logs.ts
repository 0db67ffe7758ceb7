import { listContainers } from "../../calls/containers.js";
import { listPodSandboxes } from "../../calls/pods.js";
import { CriError } from "../../errors.js";
import { CriStream } from "../../internal/stream.js";
import type { LogEntry } from "../../logs/entry.js";
import { checkReadOptions } from "../../logs/read-options.js";
import { type Container, ContainerState } from "../../proto.js";
import type { Connection } from "../../transport/connection.js";
import { idOf, type PodTarget } from "../target.js";
import { type ContainerLogOptions, containerLogs } from "./container-logs.js";
import { LogMerge } from "./merge.js";

/** Whose logs to read; everything given must match. */
export interface LogQuery {
  /** One pod. */
  pod?: PodTarget | undefined;
  /** Pods with exactly these labels. */
  podLabels?: Readonly<Record<string, string>> | undefined;
  /** Containers with this name. */
  container?: string | undefined;
  /** Containers with exactly these labels. */
  labels?: Readonly<Record<string, string>> | undefined;
}

/** Which part of several logs to read, and how. `tailLines` and `limitBytes` count for each log. */
export interface MergedLogOptions extends Omit<ContainerLogOptions, "encoding" | "previous" | "waitForStart"> {
  /**
   * With `follow`: how long an entry is held back, in milliseconds, so that entries of other logs can come before it. Entries that
   * are later than that are out of order. @defaultValue 250
   */
  orderWindowMs?: number | undefined;
}

/** A line of one of several logs. */
export interface MergedLogEntry extends LogEntry {
  /** The container's name. */
  container: string;
  containerId: string;
  /** How many times the container had been started before. */
  attempt: number;
  podSandboxId: string;
}

/** With `follow`: how often to look for new containers, in milliseconds. */
const lookMs = 1_000;

const { CONTAINER_CREATED, CONTAINER_RUNNING } = ContainerState;

/**
 * The logs of several containers in the order of their timestamps. Of containers with the same name in a pod the latest attempt is
 * read; with `follow` also those that come later, until none is left that could write.
 */
export function mergedLogs(
  connection: Connection,
  query: LogQuery,
  options: MergedLogOptions = {},
): CriStream<MergedLogEntry> {
  const { orderWindowMs = 250, signal, ...reading } = options;
  const { follow = false } = checkReadOptions(reading);
  async function* open(until: AbortSignal) {
    const merge = new LogMerge<MergedLogEntry>(follow ? orderWindowMs : Number.POSITIVE_INFINITY, until);
    const known = new Set<string>();
    const add = (container: Container) => {
      known.add(container.id);
      merge.add(entriesOf(connection, container, { ...reading, waitForStart: follow, signal: until }));
    };
    let found = await find(connection, query, until);
    for (const container of latestAttempts(found)) add(container);
    for (const { id } of found) known.add(id);
    let lookAt = performance.now() + lookMs;
    while (follow || merge.size > 0) {
      yield await merge.next(follow ? Math.max(0, lookAt - performance.now()) : Number.POSITIVE_INFINITY);
      if (!follow || (merge.size > 0 && performance.now() < lookAt)) continue;
      found = await find(connection, query, until).catch(whileAway(found));
      lookAt = performance.now() + lookMs;
      for (const container of found) if (!known.has(container.id)) add(container);
      if (merge.size === 0 && !found.some(({ state }) => state === CONTAINER_RUNNING)) return;
    }
  }
  return new CriStream(open, signal);
}

async function find(connection: Connection, query: LogQuery, signal: AbortSignal): Promise<Container[]> {
  const { pod, podLabels, container, labels } = query;
  const podSandboxId = pod === undefined ? "" : idOf(pod, "pod");
  const filter = { id: "", podSandboxId, state: undefined, labelSelector: { ...labels } };
  const containers = await listContainers(connection, filter, { signal });
  const named = containers.filter(({ metadata }) => container === undefined || metadata?.name === container);
  if (podLabels === undefined || named.length === 0) return named;
  const selector = { id: podSandboxId, state: undefined, labelSelector: { ...podLabels } };
  const pods = new Set((await listPodSandboxes(connection, selector, { signal })).map(({ id }) => id));
  return named.filter((it) => pods.has(it.podSandboxId));
}

function latestAttempts(containers: readonly Container[]): Container[] {
  const latest = new Map<string, Container>();
  for (const container of containers) {
    const key = `${container.podSandboxId}/${container.metadata?.name}`;
    const other = latest.get(key)?.metadata?.attempt ?? -1;
    if ((container.metadata?.attempt ?? 0) > other) latest.set(key, container);
  }
  return [...latest.values()];
}

async function* entriesOf(
  connection: Connection,
  { id, metadata, podSandboxId, state }: Container,
  options: ContainerLogOptions,
): AsyncGenerator<MergedLogEntry[]> {
  // Nothing was written yet, and nobody waits for it.
  if (state === CONTAINER_CREATED && !options.follow) return;
  const whose = { container: metadata?.name ?? "", containerId: id, attempt: metadata?.attempt ?? 0, podSandboxId };
  const log = containerLogs(connection, id, options);
  try {
    for await (const batch of log.batches())
      yield (batch as readonly LogEntry[]).map((entry) => ({ ...entry, ...whose }));
  } catch (error) {
    // Removed before it was looked at. A missing file is another matter.
    if (!(CriError.is(error, "NOT_FOUND") && error.method !== undefined)) throw error;
  }
}

/** A runtime that is away for a moment has the containers that it had. */
function whileAway(found: Container[]): (error: unknown) => Container[] {
  return (error) => {
    if (CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED")) return found;
    throw error;
  };
}
