/**
 * The differences between runtimes that journeys depend on. A runtime and the fake that imitates it have the same traits, by the
 * name that both report. docs/runtimes.md describes most of these differences for users.
 *
 * @module
 */

/** Measured on containerd 1.6, 1.7 and 2.1, CRI-O 1.37 and Docker 26.1 behind cri-dockerd. */
export interface Traits {
  /** Runs a command in a container that was created and not started. */
  readonly execsInCreated: boolean;
  /** PortForward fails for a pod that does not exist. Elsewhere it returns a URL, and the session fails. */
  readonly checksPortForward: boolean;
  /** Starts an exited container again. */
  readonly startsAgain: boolean;
  /** The call that fails if the container's program does not exist. */
  readonly missingProgramFails: "CreateContainer" | "StartContainer";
  /** Whether the verbose info of a pod and of a container contains the process id. */
  readonly infoHasPid: { readonly pod: boolean; readonly container: boolean };
  /** Reports in the verbose info how pods and containers were configured. */
  readonly reportsConfig: boolean;
  /** Reports in the verbose info the OCI runtime spec of a container. */
  readonly reportsRuntimeSpec: boolean;
  /** What kills the command of an ExecSync: its time limit or the end of the call, its time limit only, or nothing. */
  readonly killsCommand: "atLimitOrEnd" | "atLimit" | "never";
  /** Runs an ExecSync with a terminal if the container has one: its lines then end with CR LF. */
  readonly execSyncHasTerminal: boolean;
  /** Sets `TERM` in containers without a terminal as well. */
  readonly alwaysSetsTerm: boolean;
  /** Lists containers in the state "unknown". */
  readonly listsUnknown: boolean;
  /** Lists show a change of state a few milliseconds after the call that made it. */
  readonly listsLag: boolean;
  /** The format of log files. Only logs in the CRI format can be reopened. */
  readonly logFormat: "cri" | "docker";
  /** Keeps the log of a removed container. */
  readonly logOutlivesContainer: boolean;
  /** Writes a log to its own folder if the pod of a container has no log directory. */
  readonly logsWithoutDirectory: boolean;
  /** Containers of a pod share one UTS namespace. Elsewhere each has its own, with the same host name. */
  readonly podHasUts: boolean;
  /** Accepts pod names that Kubernetes rejects, for example with an underscore. */
  readonly anyPodName: boolean;
  /** RunPodSandbox removes a stopped pod with the same name. */
  readonly replacesStoppedPod: boolean;
  /** Masks no kernel paths if the spec contains an empty list. */
  readonly unmasksPaths: boolean;
  /** The largest message that the runtime accepts, in bytes. */
  readonly maxMessageBytes: number;
  /** The stats of a container: all fields, or neither the memory limit nor, at first, the writable layer. */
  readonly containerStats: "all" | "basic";
  /** The stats of a pod: all fields, its network and containers only, or none. */
  readonly podStats: "all" | "network" | "none";
  /** Reports no stats of a pod without a `cgroupParent`. */
  readonly podStatsNeedParent: boolean;
  /** Name of the default interface in the stats of a pod. */
  readonly defaultInterface: string;
}

const mebibyte = 2 ** 20;

const containerd: Traits = {
  execsInCreated: false,
  checksPortForward: true,
  startsAgain: false,
  missingProgramFails: "StartContainer",
  infoHasPid: { pod: true, container: true },
  reportsConfig: true,
  reportsRuntimeSpec: true,
  killsCommand: "atLimitOrEnd",
  execSyncHasTerminal: false,
  alwaysSetsTerm: false,
  listsUnknown: true,
  listsLag: false,
  logFormat: "cri",
  logOutlivesContainer: true,
  logsWithoutDirectory: false,
  podHasUts: true,
  anyPodName: true,
  replacesStoppedPod: false,
  unmasksPaths: true,
  maxMessageBytes: 16 * mebibyte,
  containerStats: "all",
  podStats: "all",
  podStatsNeedParent: true,
  defaultInterface: "eth0",
};

const traitsByRuntime: Readonly<Record<string, Traits>> = {
  containerd,
  "cri-o": {
    ...containerd,
    execsInCreated: true,
    checksPortForward: false,
    missingProgramFails: "CreateContainer",
    infoHasPid: { pod: false, container: true },
    reportsConfig: false,
    killsCommand: "atLimit",
    execSyncHasTerminal: true,
    alwaysSetsTerm: true,
    podStats: "network",
    podStatsNeedParent: false,
    defaultInterface: "lo",
    logsWithoutDirectory: true,
    maxMessageBytes: 80 * mebibyte,
  },
  docker: {
    ...containerd,
    startsAgain: true,
    infoHasPid: { pod: false, container: true },
    reportsConfig: false,
    reportsRuntimeSpec: false,
    killsCommand: "never",
    listsUnknown: false,
    listsLag: true,
    containerStats: "basic",
    podStats: "none",
    podStatsNeedParent: false,
    logFormat: "docker",
    logOutlivesContainer: false,
    podHasUts: false,
    anyPodName: false,
    replacesStoppedPod: true,
    unmasksPaths: false,
  },
};

/** Returns the traits of the runtime that reports this name; those of containerd if the name is unknown. */
export function traitsOf(runtimeName: string): Traits {
  return traitsByRuntime[runtimeName] ?? containerd;
}
