import type { RpcName } from "../rpcs.js";
import type { RuntimeErrors } from "./errors.js";

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
  /**
   * Whether metadata is read back from the names, which fails if the name of a pod, its namespace or its uid contains an underscore. Such a
   * pod and its containers are not in lists and have no status.
   */
  readonly parsesNames: boolean;
  /** Whether a creation whose name is taken removes the holder, unless that runs. It fails all the same. */
  readonly removesIdleHolder: boolean;
  /** Whether a RunPodSandbox that fails leaves a pod that is not ready. */
  readonly leavesFailedPods: boolean;
  /** The RPCs that stop or remove something and fail when it does not exist. */
  readonly failsOnMissing: readonly RpcName[];
  /**
   * What StopPodSandbox does to a process that ignores its stop signal: kills it at once, kills it when the deadline of the call is nearly
   * over, or leaves it and all other containers of the pod running. The removals kill, with the same delay.
   */
  readonly podStop: "kills" | "waitsForDeadline" | "leavesContainers";
  /** When a program that does not exist makes a call fail: CreateContainer or StartContainer. */
  readonly checksProgram: "create" | "start";
  /** How a container ends whose program cannot be started. */
  readonly startFailure: { readonly exitCode: number; readonly reason: string };
  /** What `startedAt` and `finishedAt` are before they are known, in nanoseconds. */
  readonly unsetTime: bigint;
  /** Where a container's log lies: in the log directory that CreateContainer repeats; CRI-O takes that of the pod if it repeats none. */
  readonly logDirectoryOf: "request" | "requestElsePod";
  /** What happens to a log whose directory does not exist: the directory is created, or a call fails. */
  readonly missingLogDirectory: "created" | "failsCreate" | "failsStart";
  /** Where the log of a container lies whose pod has no log directory; undefined where such a container has no log. */
  readonly ownLogDirectory: string | undefined;
  readonly logFormat: "cri" | "docker";
  /** Whether a container's log stays when the container is removed. */
  readonly logOutlivesContainer: boolean;
  /** Whether commands run in containers that were created and not started. */
  readonly execInCreated: boolean;
  /** Whether ListContainers takes the state `CONTAINER_UNKNOWN` in its filter. */
  readonly listsUnknown: boolean;
  /**
   * What kills the command of an ExecSync: its time limit or the end of the call, whichever comes first; its time limit only; or
   * nothing, so that it runs on.
   */
  readonly killsCommand: "atLimitOrEnd" | "atLimit" | "never";
  /** Whether ExecSync has a terminal in a container with one: its lines end with CR LF, and stderr is part of stdout. */
  readonly execSyncHasTerminal: boolean;
  /** When Exec, Attach and PortForward check that the container runs: before they give a URL, or in the session. */
  readonly checksSession: "call" | "session";
  /** What the URLs of sessions begin with, given the port. */
  readonly streamingBase: (port: number) => string;
  /** The message of the status of a session whose command ended with this exit code. */
  readonly exitMessage: (exitCode: number) => string;
  /** What becomes of the exit code of a command that ends while the pipe of its input is full: it is reported, or not. */
  readonly unreadInput: "exitCode" | "fails" | "noStatus";
  /** Whether a session with a terminal sends data on a stream that it has ended. */
  readonly dataAfterEnd: boolean;
  /** The result of PullImage: the id of the image, or its name with the digest. */
  readonly pullResult: "id" | "digest";
  /** What comes before the digest in the `imageRef` of containers. */
  readonly imageRefPrefix: string;
  /**
   * What RemoveImage removes: by any name the image with all its tags; by a tag that tag alone, and nothing by a digest; or nothing
   * by tag and digest. It succeeds all the same, and by id it removes the image on every runtime.
   */
  readonly imageRemoval: "image" | "tag" | "idOnly";
  /** The image of pod sandboxes, which RunPodSandbox pulls, and whether it is pinned. */
  readonly sandboxImage: { readonly reference: string; readonly pinned: boolean };
  /** What ImageStatus and RemoveImage answer to an empty name, unless that is an image that does not exist. */
  readonly noImageName: string | undefined;
  /** Whether PullImage reads `auth`, the credentials in base64. */
  readonly readsEncodedAuth: boolean;
  /** Whether the statistics of a pod fail unless its configuration names a control group. */
  readonly statsNeedCgroupParent: boolean;
  /** What the statistics of a container contain: everything, or only its processor time and its working set. */
  readonly containerStats: "all" | "basic";
  /** The network interface that pod statistics name as the default one. */
  readonly defaultInterface: string;
  readonly errors: RuntimeErrors;
  /** What the verbose `info` of pods and containers contains: the whole configuration, an OCI spec, or a container's pid. */
  readonly verboseInfo: "config" | "runtimeSpec" | "pid";
  /** Whether CreateContainer accepts a sandbox that was stopped. Starting the container fails all the same. */
  readonly createsInStoppedSandbox: boolean;
  /** Where the file system of images is. */
  readonly imagesDirectory: string;
  /** Whether ListImages applies its filter. */
  readonly filtersImages: boolean;
  /** Whether the status of a container carries the identity of its first process. */
  readonly reportsUser: boolean;
  /** Whether statuses carry `imageId`. */
  readonly reportsImageId: boolean;
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

/** Go's `time.Time{}` in nanoseconds, which overflows: the year 1. */
export const goZeroTime = -6_795_364_578_871_345_152n;
