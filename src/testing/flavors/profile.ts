import type { RpcName } from "../rpcs.js";

/** The runtimes that can be imitated. `cri-dockerd` is Docker behind cri-dockerd. */
export type FakeFlavor = "containerd-1.6" | "containerd-1.7" | "containerd-2" | "cri-o" | "cri-dockerd";

/** How GetContainerEvents behaves. */
export type EventMode =
  /** Every subscriber gets every event. The first subscriber also gets the events from before it subscribed. */
  | "broadcast"
  /** One queue for all: subscribers take each other's events. */
  | "shared"
  /** The stream ends at once, with OK. */
  | "off";

/**
 * What a flavour does in its own way. containerd's behaviour was measured on 1.6.20, 1.7.24 and 2.1.9, CRI-O's on 1.37 with conmon 2.1.6,
 * Docker's on 26.1 behind cri-dockerd 0.4.
 */
export interface FlavorProfile {
  readonly name: FakeFlavor;
  readonly family: "containerd" | "cri-o" | "docker";
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  /** RPCs that answer UNIMPLEMENTED because the runtime's schema does not have them. */
  readonly unknown: readonly RpcName[];
  /** RPCs that the schema has and the runtime does not implement. */
  readonly notImplemented: readonly RpcName[];
  readonly events: EventMode;
  /**
   * What RunPodSandbox and CreateContainer answer when their name is taken: an error with this code, or the id of the holder.
   */
  readonly takenName: "UNKNOWN" | "FAILED_PRECONDITION" | "holder";
  /** What names of pods and containers begin with. */
  readonly namePrefix: { readonly sandbox: string; readonly container: string };
  /** StopContainer and StopPodSandbox of something that does not exist. */
  readonly stopMissing: "OK" | "NOT_FOUND";
  /**
   * How StopPodSandbox and the removals end a process that ignores its stop signal: with SIGKILL at once, or with SIGKILL when the
   * deadline of the call is nearly over.
   */
  readonly removal: "kills" | "waitsForDeadline";
  /** What the verbose `info` of pods and containers contains: the whole configuration, an OCI spec, or nothing. */
  readonly verboseInfo: "config" | "runtimeSpec" | "none";
  /** Whether CreateContainer accepts a sandbox that was stopped. Starting the container fails all the same. */
  readonly createsInStoppedSandbox: boolean;
  /** Whether ListImages applies its filter. */
  readonly filtersImages: boolean;
  /** Whether statuses carry `imageId`. */
  readonly reportsImageId: boolean;
  /** What an id that is an empty string is answered with. */
  readonly emptyId: string;
  readonly maxMessageBytes: number;
}

/** The lists that answer with a stream: no flavour has them. */
export const streamingLists = [
  "StreamPodSandboxes",
  "StreamContainers",
  "StreamContainerStats",
  "StreamPodSandboxStats",
  "StreamPodSandboxMetrics",
  "StreamImages",
] as const satisfies RpcName[];

export const mebibyte = 1 << 20;
