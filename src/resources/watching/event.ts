import type { Container, ContainerStatus, PodSandbox } from "../../proto.js";

/** The pods and containers of a node at one time, by id, as the runtime lists them. Immutable: each change creates new maps. */
export interface NodeState {
  /** Pod sandboxes, including stopped ones. */
  readonly pods: ReadonlyMap<string, PodSandbox>;
  /** Containers, including exited ones. */
  readonly containers: ReadonlyMap<string, Container>;
}

/** A pod was created, updated (for example became ready or not ready), or removed. */
export interface PodEvent {
  readonly type: "podAdded" | "podUpdated" | "podRemoved";
  /** The pod as the runtime lists it; for a removed pod, as the runtime last listed it. */
  readonly pod: PodSandbox;
  /** For `podAdded`, when the pod was created, by the runtime's clock; otherwise when the client detected the change. */
  readonly at: Date;
}

/** A container was created, started, updated, or removed. `containerUpdated` covers every change that no other event reports. */
export interface ContainerEvent {
  readonly type: "containerAdded" | "containerStarted" | "containerUpdated" | "containerRemoved";
  /** The container as the runtime lists it, or last listed it. Its state may be newer than the event. */
  readonly container: Container;
  /**
   * For `containerAdded`, when the container was created; for `containerStarted`, when it was started, if the client knows. Both
   * are by the runtime's clock. Otherwise when the client detected the change.
   */
  readonly at: Date;
}

/** A container's process has exited. */
export interface ContainerExitedEvent {
  readonly type: "containerExited";
  /** The container as the runtime lists it, or last listed it. */
  readonly container: Container;
  /**
   * The exit code; 128 + n if signal n ended the process. `undefined` if the container was removed before the client could read
   * its status.
   */
  readonly exitCode: number | undefined;
  /** The status that contains the exit code. */
  readonly status: ContainerStatus | undefined;
  /** When the process exited, by the runtime's clock; without a status, when the client detected it. */
  readonly at: Date;
}

/**
 * The full state of the node, or of the part that a {@link NodeFilter} selects. Replace your own state with it. `reason` is why it
 * was emitted:
 *
 * - `initial`: it is the first event, on request;
 * - `gap`: the runtime or its events were unavailable. Events before this one have reported the difference to the state before the
 *   gap. Objects that were both created and removed in the gap may be missing;
 * - `overflow`: it replaces events that were not read in time.
 */
export interface ResyncEvent extends NodeState {
  readonly type: "resync";
  readonly reason: "initial" | "gap" | "overflow";
  /** When the event was created, by this process's clock. */
  readonly at: Date;
}

/**
 * A change on the node. Each change is reported exactly once, whether the client detected it by an event or by a list. A pod is
 * reported before its containers, and a container in the order `Added`, `Started`, `Exited`, `Removed`. Steps that ended before the
 * client could observe them are omitted. However, `Started` always precedes the `Exited` of a process that was started.
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
