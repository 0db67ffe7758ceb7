import type { Container, ContainerStatus, PodSandbox } from "../../proto.js";

/** The pods and containers of a node at one time, by id, as the runtime lists them. Immutable: each change creates a new state. */
export interface NodeState {
  /** Pod sandboxes, including stopped ones. */
  readonly pods: ReadonlyMap<string, PodSandbox>;
  /** Containers, including exited ones. */
  readonly containers: ReadonlyMap<string, Container>;
}

/** A pod was created, updated (for example became ready or not ready), or removed. */
export interface PodEvent {
  readonly type: "podAdded" | "podUpdated" | "podRemoved";
  /** The pod as the runtime lists it; for a removed pod, as it was listed last. */
  readonly pod: PodSandbox;
  /** For `podAdded`, when the pod was created, by the runtime's clock; otherwise when the client detected the change. */
  readonly at: Date;
}

/** A container was created, started, updated, or removed. `containerUpdated` covers every change that no other event reports. */
export interface ContainerEvent {
  readonly type: "containerAdded" | "containerStarted" | "containerUpdated" | "containerRemoved";
  /** The container as the runtime lists it, or listed it last. Its state may be ahead of the event. */
  readonly container: Container;
  /**
   * For `containerAdded`, when the container was created; for `containerStarted`, when it was started, if that is known; both by
   * the runtime's clock. Otherwise when the client detected the change.
   */
  readonly at: Date;
}

/** A container's process has exited. */
export interface ContainerExitedEvent {
  readonly type: "containerExited";
  /** The container as the runtime lists it, or listed it last. */
  readonly container: Container;
  /**
   * The exit code; 128 + n if signal n ended the process. `undefined` if the container was removed before its status could be
   * read.
   */
  readonly exitCode: number | undefined;
  /** The status that contains the exit code. */
  readonly status: ContainerStatus | undefined;
  /** When the process exited, by the runtime's clock; without a status, when the client detected it. */
  readonly at: Date;
}

/**
 * The full state of the node: replace yours with it. Its `reason` says when it is emitted:
 *
 * - `initial`: as the first event, on request;
 * - `gap`: after the runtime or its events were unavailable. Earlier events have reported every change that still lasts. Objects
 *   that were both created and removed in the gap may be missing;
 * - `overflow`: in place of events that were not read in time.
 */
export interface ResyncEvent extends NodeState {
  readonly type: "resync";
  readonly reason: "initial" | "gap" | "overflow";
  /** When the event was created, by this process's clock. */
  readonly at: Date;
}

/**
 * A change on the node. Each change is reported exactly once, whether the client learned of it from an event or from a list. A pod
 * is reported before its containers, and a container in the order `Added`, `Started`, `Exited`, `Removed`. Steps that were over
 * before the client could observe them are left out. However, `Started` always precedes the `Exited` of a process that was started.
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

/** Creates a `resync` event of a state. */
export function resync(reason: ResyncEvent["reason"], { pods, containers }: NodeState): ResyncEvent {
  return { type: "resync", reason, pods, containers, at: new Date() };
}
