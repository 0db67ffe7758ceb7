/**
 * What runtimes do in ways of their own. A journey asks here instead of assuming containerd. Real runtimes and fakes of them have
 * the same traits: both go by the name that they report. docs/runtimes.md has most of this for users.
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
  /** The call that fails when the container's program does not exist. */
  readonly missingProgramFails: "CreateContainer" | "StartContainer";
  /** What has the number of its process in the verbose info. */
  readonly infoHasPid: { readonly pod: boolean; readonly container: boolean };
  /** Reports in the verbose info how pods and containers were configured. */
  readonly reportsConfig: boolean;
  /** What kills the command of an ExecSync: its time limit or the end of the call, its time limit only, or nothing. */
  readonly killsCommand: "atLimitOrEnd" | "atLimit" | "never";
  /** Gives an ExecSync in a container with a terminal a terminal, too: its lines end with CR LF. */
  readonly execSyncHasTerminal: boolean;
  /** Sets `TERM` in containers without a terminal, too. */
  readonly alwaysSetsTerm: boolean;
  /** Lists containers in the state "unknown". */
  readonly listsUnknown: boolean;
  /** Lists show a change of state a few milliseconds after the call that made it. */
  readonly listsLag: boolean;
  /** The format of log files. Only those in CRI's format can be reopened. */
  readonly logFormat: "cri" | "docker";
  /** The log of a container stays when the container is removed. */
  readonly logOutlivesContainer: boolean;
  /** Writes logs of its own of a container whose pod has no log directory. */
  readonly logsWithoutDirectory: boolean;
  /** The host name is a namespace of the pod, rather than one of each container with the same name in it. */
  readonly podHasUts: boolean;
  /** Takes pod names that Kubernetes would not, such as one with an underscore. */
  readonly anyPodName: boolean;
  /** RunPodSandbox removes a stopped pod that has its name. */
  readonly replacesStoppedPod: boolean;
  /** Masks no path of the kernel when the spec says so with an empty list. */
  readonly unmasksPaths: boolean;
  /** The largest message, in bytes. */
  readonly maxMessageBytes: number;
  /** What the statistics of a container contain: everything, or neither a memory limit nor, at first, the writable layer. */
  readonly containerStats: "all" | "basic";
  /** What the statistics of a pod contain: everything, its network and containers only, or there are none. */
  readonly podStats: "all" | "network" | "none";
  /** Fails to report the statistics of a pod without a `cgroupParent`. */
  readonly podStatsNeedParent: boolean;
  /** What the statistics of a pod name as its default interface. */
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

const ofRuntimes: Readonly<Record<string, Traits>> = {
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

/** The traits of the runtime that reports this name; those of containerd for one that is not known. */
export function traitsOf(runtimeName: string): Traits {
  return ofRuntimes[runtimeName] ?? containerd;
}
