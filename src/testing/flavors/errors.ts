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
  /** Creates the error for an id that does not exist. */
  missing(rpc: RpcName, id: string): ServerError;
  /** Creates the error for an id that is empty, or the prefix of several ids. */
  ambiguousId(rpc: RpcName, id: string): ServerError;
  /** Creates the error of CreateContainer for an image that is not on the runtime. */
  missingImage(name: string): ServerError;
  /** Creates the error of RemoveImage for an image of an existing container. Undefined if the runtime removes such an image. */
  readonly imageInUse: ((image: NamedImage, user: ContainerInState) => ServerError) | undefined;
  /** Creates the error of StartContainer for a container that was started before. Undefined if the runtime starts it again. */
  readonly alreadyStarted: ((container: ContainerInState) => ServerError) | undefined;
  /** Creates the error of Exec or Attach for an invalid combination of streams. */
  badStreams(rpc: "Exec" | "Attach", reason: string): ServerError;
  /**
   * Creates the error of Exec, ExecSync or Attach in a container that does not run, or of PortForward to a pod that is not ready.
   */
  notRunning(rpc: RpcName, object: { readonly id: string; readonly state?: ContainerState }): ServerError;
  /**
   * Creates the error for a container whose program cannot be started.
   *
   * @param reason the reason, such as `unable to start container process: exec: "x": …`
   */
  start(id: string, reason: string): ServerError;
  /**
   * Creates the error for a command that cannot be started, or the outcome, on runtimes that report that such a command ran and
   * ended.
   */
  exec(rpc: "Exec" | "ExecSync", execId: string, reason: string): ServerError | ExecOutcome;
}
