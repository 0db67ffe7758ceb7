import type { RpcName } from "../rpcs.js";
import type { RuntimeErrors } from "./errors.js";

/** The runtimes that a fake can imitate. `cri-dockerd` is Docker with cri-dockerd. */
export type FakeFlavor = "containerd-1.6" | "containerd-1.7" | "containerd-2" | "cri-o" | "cri-dockerd";

/** How GetContainerEvents behaves. */
export type EventMode =
  /** Every subscriber receives every event. The first subscriber also receives the events from before it subscribed. */
  | "broadcast"
  /** All subscribers share one queue, so that each event reaches one of them. */
  | "shared"
  /** The stream ends at once, with OK. */
  | "off";

/**
 * The differences between runtimes. containerd's behaviour was measured on 1.6.20, 1.7.24 and 2.1.9, CRI-O's on 1.37 with conmon
 * 2.1.6, Docker's on 26.1 with cri-dockerd 0.4.
 */
export interface FlavorProfile {
  readonly name: FakeFlavor;
  readonly family: "containerd" | "cri-o" | "docker";
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  /** RPCs that fail with UNIMPLEMENTED because the runtime's schema does not have them. */
  readonly unknown: readonly RpcName[];
  /** RPCs that the schema has and the runtime does not implement. */
  readonly notImplemented: readonly RpcName[];
  readonly events: EventMode;
  /**
   * The result of RunPodSandbox and CreateContainer if the name is reserved: an error with this code, or the id of the holder.
   */
  readonly takenName: "UNKNOWN" | "FAILED_PRECONDITION" | "holder";
  /** The prefix of the names of pods and containers. */
  readonly namePrefix: { readonly sandbox: string; readonly container: string };
  /**
   * Whether the runtime parses metadata from the names. This fails if the name of a pod, its namespace or its uid contains an
   * underscore; that pod and its containers then have no status and are not in lists.
   */
  readonly parsesNames: boolean;
  /** Whether a creation whose name is reserved removes a holder that does not run. The creation fails in any case. */
  readonly removesIdleHolder: boolean;
  /** Whether a failed RunPodSandbox leaves a pod that is not ready. */
  readonly leavesFailedPods: boolean;
  /** The RPCs to stop or remove an object that fail if it does not exist. */
  readonly failsOnMissing: readonly RpcName[];
  /**
   * How StopPodSandbox treats a process that ignores its stop signal: kills it at once, kills it shortly before the deadline of
   * the call, or leaves it and all other containers of the pod running. The RPCs that remove pods and containers kill with the
   * same delay.
   */
  readonly podStop: "kills" | "waitsForDeadline" | "leavesContainers";
  /** The call that fails if the program of the container does not exist: CreateContainer or StartContainer. */
  readonly checksProgram: "create" | "start";
  /** The exit code and reason of a container whose program cannot be started. */
  readonly startFailure: { readonly exitCode: number; readonly reason: string };
  /** The value of `startedAt` and `finishedAt` before they are set, in nanoseconds. */
  readonly unsetTime: bigint;
  /** The log directory of a container: that of the CreateContainer request. On CRI-O, the pod's if the request has none. */
  readonly logDirectoryOf: "request" | "requestElsePod";
  /** The result if the directory of a log does not exist: the runtime creates it, or a call fails. */
  readonly missingLogDirectory: "created" | "failsCreate" | "failsStart";
  /** The log directory for pods without one; undefined if their containers have no logs. */
  readonly ownLogDirectory: string | undefined;
  readonly logFormat: "cri" | "docker";
  /** Whether a container's log stays when the container is removed. */
  readonly logOutlivesContainer: boolean;
  /** Whether commands run in containers that were created but not started. */
  readonly execInCreated: boolean;
  /** Whether ListContainers accepts the state `CONTAINER_UNKNOWN` in its filter. */
  readonly listsUnknown: boolean;
  /**
   * When the command of an ExecSync is killed: at its time limit or at the end of the call, whichever is first; at its time limit
   * only; or never, so that it continues to run.
   */
  readonly killsCommand: "atLimitOrEnd" | "atLimit" | "never";
  /** Whether ExecSync has a terminal in a container with one: its lines end with CR LF, and stderr is part of stdout. */
  readonly execSyncHasTerminal: boolean;
  /** When Exec, Attach and PortForward check that the container runs: before they return a URL, or in the session. */
  readonly checksSession: "call" | "session";
  /** Returns the beginning of the URLs of sessions. */
  readonly streamingBase: (port: number) => string;
  /** Returns the message of the status for an exit code. */
  readonly exitMessage: (exitCode: number) => string;
  /**
   * The result of a command that ends while the pipe of its stdin is full: the exit code, a failed status, or no status.
   */
  readonly unreadInput: "exitCode" | "fails" | "noStatus";
  /** Whether a session with a terminal sends data on a stream that it has ended. */
  readonly dataAfterEnd: boolean;
  /** The result of PullImage: the id of the image, or its name with the digest. */
  readonly pullResult: "id" | "digest";
  /** The prefix of the digest in the `imageRef` of containers. */
  readonly imageRefPrefix: string;
  /**
   * What RemoveImage removes. RemoveImage always succeeds. With an id, it removes the image on every runtime.
   *
   * - `image`: by any name, the image with all its tags.
   * - `tag`: by a tag, only that tag; by a digest, nothing.
   * - `idOnly`: by a tag or a digest, nothing.
   */
  readonly imageRemoval: "image" | "tag" | "idOnly";
  /** The image of pod sandboxes, which RunPodSandbox pulls, and whether it is pinned. */
  readonly sandboxImage: { readonly reference: string; readonly pinned: boolean };
  /** The error message of ImageStatus and RemoveImage for an empty name; undefined if they treat it as a missing image. */
  readonly noImageName: string | undefined;
  /** Whether PullImage reads `auth`, the credentials in base64. */
  readonly readsEncodedAuth: boolean;
  /** Whether the statistics of a pod fail unless its configuration names a control group. */
  readonly statsNeedCgroupParent: boolean;
  /** The content of the statistics of a container: everything, or only its CPU time and its working set. */
  readonly containerStats: "all" | "basic";
  /** The network interface that pod statistics name as the default one. */
  readonly defaultInterface: string;
  readonly errors: RuntimeErrors;
  /** The content of the verbose `info` of pods and containers: the whole configuration, an OCI spec, or a container's pid. */
  readonly verboseInfo: "config" | "runtimeSpec" | "pid";
  /** Whether CreateContainer accepts a stopped sandbox. Starting the container fails in any case. */
  readonly createsInStoppedSandbox: boolean;
  /** Where the file system of images is mounted. */
  readonly imagesDirectory: string;
  /** Whether ListImages applies its filter. */
  readonly filtersImages: boolean;
  /** Whether the status of a container contains the identity of its first process. */
  readonly reportsUser: boolean;
  /** Whether statuses contain `imageId`. */
  readonly reportsImageId: boolean;
  readonly maxMessageBytes: number;
}

/** The streaming lists. No flavour implements them. */
export const streamingLists = [
  "StreamPodSandboxes",
  "StreamContainers",
  "StreamContainerStats",
  "StreamPodSandboxStats",
  "StreamPodSandboxMetrics",
  "StreamImages",
] as const satisfies RpcName[];

export const mebibyte = 1 << 20;

/** Go's zero time (the year 1) in nanoseconds, which overflows. */
export const goZeroTime = -6_795_364_578_871_345_152n;
