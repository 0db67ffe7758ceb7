import type { CallOptions } from "../../options.js";
import type { Budget } from "../../rpcs/budget.js";
import { runtimeName } from "../../rpcs/runtime.js";
import type { Connection } from "../../transport/connection.js";
import type { CreationMark } from "./creation-mark.js";

/** An object that was found under the identity of a creation. */
export interface Found {
  id: string;
  mark: CreationMark | undefined;
  /** Whether it is in the state in which a creation leaves it, and can be used. */
  fresh: boolean;
  /** Its state, for error messages. */
  state: string;
}

/** The creation of a pod or container. It can be repeated because its object can be found by its identity. */
export interface Creation {
  /** For error messages, such as `pod sandbox default/demo`. */
  what: string;
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

/** The result of a creation; `adopted` if another creation made the object. */
export interface Created {
  id: string;
  adopted: boolean;
}

/** How the runtime differs from containerd in creating an object. */
export interface CreationQuirks {
  /** May return the id of an older object with the same identity, where containerd answers that the name is taken (CRI-O). */
  returnsOlder: boolean;
  /** Replaces an object of the same name, so the name must be looked up first: a container that was not started (Docker). */
  replaces: boolean;
  /** May leave an object behind when the creation fails: a pod that is not ready (Docker). */
  leavesFailed: boolean;
  /** Waits until its deadline while an earlier creation of the same name is under way (CRI-O). */
  stalls: boolean;
  /** May make a second object of the same name while an earlier creation is under way (Docker). */
  duplicates: boolean;
}

/** The quirks of the runtime. A runtime that does not give its name may return an older object. */
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
