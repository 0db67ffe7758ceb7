import { CriError } from "../../errors.js";
import type { ContainerStatus } from "../../proto.js";
import type { CriEvent, NodeState } from "./event.js";

/** A member of the watch: an event stream, a view or a wait. No method may throw. */
export interface WatchMember {
  /**
   * The runtime sent the status of a container that has exited. Called before {@link changed}, possibly more than once, and only
   * where the runtime has events. The container may have been removed already.
   */
  exited?(status: ContainerStatus): void;
  /** The events of a change, and the state after it. The first call has one `resync`, of a relist that began after joining. */
  changed(events: readonly CriEvent[], state: NodeState): void;
  /**
   * The first relist failed, or the client was closed. After a failed relist the watch continues, and a member that stays receives
   * the first state as soon as a relist succeeds. After the client was closed, nothing follows.
   */
  failed(reason: unknown): void;
}

/** The end of a watch or stream, and its reason. */
export interface End {
  readonly reason: unknown;
}

/** Whether a watch that failed with this reason has ended. Otherwise it continues and may succeed later. */
export function endsWatch(reason: unknown): boolean {
  return !CriError.is(reason) || reason.code === "CLIENT_CLOSED";
}
