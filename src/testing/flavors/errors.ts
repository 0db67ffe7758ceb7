import type { ServerError } from "nice-grpc-common";
import type { ContainerState } from "../../proto.js";
import type { ExecOutcome } from "../backend/backend.js";
import type { RpcName } from "../rpcs.js";

/** The properties of a container that error messages contain. */
export interface ContainerInState {
  readonly id: string;
  readonly state: ContainerState;
}

/** The properties of an image that error messages contain. */
export interface NamedImage {
  /** `sha256:…` */
  readonly id: string;
  readonly tags: readonly string[];
}

/** The errors of a runtime. Every runtime has its own codes and messages. */
export interface RuntimeErrors {
  /** An id that does not exist. */
  missing(rpc: RpcName, id: string): ServerError;
  /** An id that is empty, or the prefix of several ids. */
  ambiguousId(rpc: RpcName, id: string): ServerError;
  /** CreateContainer with an image that is not on the runtime. */
  missingImage(name: string): ServerError;
  /** RemoveImage of an image that a container was created from; undefined if the runtime removes it. */
  readonly imageInUse: ((image: NamedImage, user: ContainerInState) => ServerError) | undefined;
  /** StartContainer of a container that was started before; undefined if the runtime starts it again. */
  readonly alreadyStarted: ((container: ContainerInState) => ServerError) | undefined;
  /** Exec or Attach with an invalid combination of streams, and why. */
  badStreams(rpc: "Exec" | "Attach", reason: string): ServerError;
  /** Exec, ExecSync or Attach in a container that does not run, or PortForward to a pod that is not ready. */
  notRunning(rpc: RpcName, object: { readonly id: string; readonly state?: ContainerState }): ServerError;
  /** A container whose program cannot be started, and why: `unable to start container process: exec: "x": …`. */
  start(id: string, reason: string): ServerError;
  /** A command that cannot be started. Some runtimes fail, others report that it ran and ended. */
  exec(rpc: "Exec" | "ExecSync", execId: string, reason: string): ServerError | ExecOutcome;
}
