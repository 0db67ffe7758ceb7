import type { Container, ContainerStatus, PodSandbox } from "../../proto.js";

/** What is on a node at one moment, by id, as the runtime lists it. It is never changed: news make a new one. */
export interface NodeState {
  /** Pod sandboxes, stopped ones too. */
  readonly pods: ReadonlyMap<string, PodSandbox>;
  /** Containers, exited ones too. */
  readonly containers: ReadonlyMap<string, Container>;
}

/** A pod was made, became ready or not ready (or changed otherwise), was removed. */
export interface PodEvent {
  readonly type: "podAdded" | "podUpdated" | "podRemoved";
  /** The pod as the runtime lists it, or listed it last. */
  readonly pod: PodSandbox;
  /** For `podAdded` the pod's creation by the runtime's clock, otherwise when it was noticed. */
  readonly at: Date;
}

/** A container was made, is running or has been, changed in what is none of the others' business, was removed. */
export interface ContainerEvent {
  readonly type: "containerAdded" | "containerStarted" | "containerUpdated" | "containerRemoved";
  /** The container as the runtime lists it, or listed it last. Its state may be ahead of the event. */
  readonly container: Container;
  /** For `containerAdded` its creation, for `containerStarted` its start if that is known; otherwise when it was noticed. */
  readonly at: Date;
}

/** A container's process has ended. */
export interface ContainerExitedEvent {
  readonly type: "containerExited";
  /** The container as the runtime lists it, or listed it last. */
  readonly container: Container;
  /** The exit code, 128 + n for signal n; undefined if the container was removed before its status could be asked for. */
  readonly exitCode: number | undefined;
  /** What the exit code was read from. */
  readonly status: ContainerStatus | undefined;
  /** When the process ended by the runtime's clock; when that was noticed if there is no status. */
  readonly at: Date;
}

/**
 * Everything there is: replace what you know by it. It comes
 *
 * - `initial`: first of all, on request;
 * - `gap`: after the runtime or its events were away. What is different since then has been told by the events before it;
 *   what came and went meanwhile has not;
 * - `overflow`: instead of events that were not read in time.
 */
export interface ResyncEvent extends NodeState {
  readonly type: "resync";
  readonly reason: "initial" | "gap" | "overflow";
  /** When the state was put together, by this process's clock. */
  readonly at: Date;
}

/**
 * A change on the node. Each is told once, wherever the news came from, and in this order: a pod before its containers, a
 * container `Added`, `Started`, `Exited`, `Removed`. Steps that were over before anybody could look are left out, except that
 * an exit of a process that was started is always preceded by its start.
 */
export type CriEvent = PodEvent | ContainerEvent | ContainerExitedEvent | ResyncEvent;

/** The events of one type. */
export type CriEventOf<Type extends CriEvent["type"]> = CriEvent extends infer Event
  ? Event extends { readonly type: string }
    ? Type extends Event["type"]
      ? Event & { readonly type: Type }
      : never
    : never
  : never;

/** The whole state as an event. */
export function resync(reason: ResyncEvent["reason"], { pods, containers }: NodeState): ResyncEvent {
  return { type: "resync", reason, pods, containers, at: new Date() };
}
