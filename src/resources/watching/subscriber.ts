import { CriError } from "../../errors.js";
import type { ContainerStatus } from "../../proto.js";
import type { CriEvent, NodeState } from "./event.js";

/** A subscriber of the watch: an event stream, a view or a wait. Its methods must not throw. */
export interface Subscriber {
  /**
   * Receives the status of an exited container from an event of the runtime, before {@link changed} and possibly more than once.
   * The container may have been removed already. Runtimes without events never cause this call.
   */
  exited?(status: ContainerStatus): void;
  /**
   * Receives the events of a relist, and the state after it. The first call has one `resync`, from a relist that began after the
   * subscription.
   */
  changed(events: readonly CriEvent[], state: NodeState): void;
  /**
   * Receives the error if the subscriber's first relist fails, or the client is closed. After a failed relist the watch continues,
   * and the subscriber receives its first state as soon as a relist succeeds. After the client was closed, no call follows.
   */
  failed(reason: unknown): void;
}

/** The end of a watch or stream, and its reason. */
export interface End {
  readonly reason: unknown;
}

/** Returns whether a watch that failed with this reason has ended. Otherwise it continues. */
export function endsWatch(reason: unknown): boolean {
  return !CriError.is(reason) || reason.code === "CLIENT_CLOSED";
}
