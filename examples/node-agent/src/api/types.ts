/** The custom resources, as `deploy/base/crds.yaml` declares them. */
import type { KubernetesObject, V1LabelSelector, V1MicroTime } from "@kubernetes/client-node";

export const group = "nodetask.example.com";

/** Holds a NodeTask until no result of it is left. */
export const taskFinalizer = `${group}/results`;
/** Holds a NodeTaskResult until its node has removed the pod. */
export const resultFinalizer = `${group}/pod`;
/** Labels of results: the uid of the task, and the node. */
export const labels = { task: `${group}/task`, node: `${group}/node` } as const;

export type Mode = "Once" | "KeepRunning" | "Interval";

export interface NodeTask extends KubernetesObject {
  spec: NodeTaskSpec;
  status?: NodeTaskStatus;
}

export interface NodeTaskSpec {
  /** A pod template; the agent checks it with `readManifests`. */
  template: { metadata?: object; spec: object };
  nodes?: { names?: string[]; selector?: V1LabelSelector };
  mode: Mode;
  intervalSeconds?: number;
  concurrency?: number;
  maxUnavailable: number | string;
  ttlSecondsAfterFinished?: number;
  logTailLines: number;
}

export interface NodeTaskStatus {
  observedGeneration: number;
  nodes: number;
  updated: number;
  ready: number;
  running: number;
  succeeded: number;
  failed: number;
  finishedAt?: string;
  conditions: Condition[];
}

export interface Condition {
  type: "Progressing" | "Complete" | "Degraded";
  status: "True" | "False";
  reason: string;
  message: string;
  lastTransitionTime: string;
}

export interface NodeTaskResult extends KubernetesObject {
  spec: { task: string; node: string; revision?: string };
  status?: ResultStatus;
}

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed";

export interface ResultStatus {
  observedGeneration: number;
  revision: string;
  phase: Phase;
  reason: string;
  message?: string;
  ready: boolean;
  attempts: number;
  restarts: number;
  exitCodes?: Record<string, number>;
  startedAt?: string;
  finishedAt?: string;
  logTail?: string;
}

export function nameOf({ metadata }: KubernetesObject): { namespace: string; name: string } {
  return { namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" };
}

/** Returns the namespace and the name of an object, which identify it among those of its kind. */
export function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}

/** Returns what {@link keyOf} was called with. */
export function namedBy(key: string): { namespace: string; name: string } {
  const [namespace = "", name = ""] = key.split("/");
  return { namespace, name };
}

/** Returns the key of the task of a result. */
export function taskKeyOf({ metadata, spec }: NodeTaskResult): string {
  return `${metadata?.namespace}/${spec.task}`;
}

/** Returns a time with microseconds, as leases and events have it. The type of client-node is a class for the same string. */
export function microTime(at: Date): V1MicroTime {
  return at.toISOString().replace("Z", "000Z") as unknown as V1MicroTime;
}

export function isDeleted({ metadata }: KubernetesObject): boolean {
  return metadata?.deletionTimestamp !== undefined;
}
