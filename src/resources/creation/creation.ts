import type { CallOptions } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { runtimeName } from "../../rpcs/runtime.js";
import type { Connection } from "../../transport/connection.js";
import type { CreationMark } from "./creation-mark.js";

/** An object that has the identity of a creation. */
export interface Found {
  id: string;
  mark: CreationMark | undefined;
  /** Whether it is usable and unchanged since its creation: a ready pod, or a container that was not started. */
  fresh: boolean;
  /** Its state, for error messages. */
  state: string;
}

/** The creation of a pod or container. It can be repeated, because its object can be found by its identity. */
export interface Creation {
  /** Names the object in error messages: `pod sandbox default/demo`. */
  description: string;
  /** The RPC and the endpoint that error messages name. */
  origin: { method: string; endpoint: string };
  mark: CreationMark;
  /** Whether to adopt an object that another creation made from the same configuration. */
  adopt: boolean;
  budget: Budget;
  /** Whether another object can have the identity: false for a pod whose uid was generated for this creation. */
  mayExist: boolean;
  quirks(options: CallOptions): Promise<CreationQuirks>;
  create(options: CallOptions): Promise<string>;
  find(options: CallOptions): Promise<Found | undefined>;
  remove(id: string, options: CallOptions): Promise<void>;
}

/** The result of a creation. `adopted` is true if another creation created the object. */
export interface Created {
  id: string;
  adopted: boolean;
}

/** How the creation of an object on a runtime differs from containerd. */
export interface CreationQuirks {
  /** May return the id of an older object with the same identity, where containerd reports that the name is reserved (CRI-O). */
  returnsOlder: boolean;
  /** Replaces a container with the same name that was not started, so the client looks up the name first (Docker). */
  replaces: boolean;
  /** May leave an object behind when the creation fails, such as a pod that is not ready (Docker). */
  leavesFailed: boolean;
  /** Blocks until the deadline of the call while an earlier creation with the same name is in progress (CRI-O). */
  stalls: boolean;
  /** May create a second object with the same name while an earlier creation is in progress (Docker). */
  duplicates: boolean;
}

/** Returns the quirks of the runtime. If its name is unknown, assumes that it may return an older object. */
export async function quirksOf(
  connection: Connection,
  kind: "pod" | "container",
  options: CallOptions,
): Promise<CreationQuirks> {
  const name = await runtimeName(connection, options);
  const isDocker = name === "docker";
  return {
    returnsOlder: name !== "containerd",
    replaces: isDocker && kind === "container",
    leavesFailed: isDocker && kind === "pod",
    stalls: name === "cri-o",
    duplicates: isDocker,
  };
}
