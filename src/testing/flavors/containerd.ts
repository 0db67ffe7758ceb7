import { containerdErrors } from "./containerd-errors.js";
import { type FlavorProfile, mebibyte, streamingLists } from "./profile.js";

const newerThanContainerd = [...streamingLists, "UpdatePodSandboxResources", "CheckpointPod", "RestorePod"] as const;

const containerd = {
  family: "containerd",
  runtimeName: "containerd",
  takenName: "UNKNOWN",
  namePrefix: { sandbox: "", container: "" },
  parsesNames: false,
  removesIdleHolder: false,
  leavesFailedPods: false,
  failsOnMissing: [],
  podStop: "kills",
  checksProgram: "start",
  startFailure: { exitCode: 128, reason: "StartError" },
  unsetTime: 0n,
  logDirectoryOf: "request",
  missingLogDirectory: "created",
  ownLogDirectory: undefined,
  logFormat: "cri",
  logOutlivesContainer: true,
  execInCreated: false,
  listsUnknown: true,
  killsCommand: "atLimitOrEnd",
  execSyncHasTerminal: false,
  checksSession: "call",
  streamingBase: (port: number) => `http://127.0.0.1:${port}`,
  exitMessage: (exitCode: number) => `exit code ${exitCode}`,
  unreadInput: "noStatus",
  dataAfterEnd: false,
  pullResult: "id",
  imageRefPrefix: "",
  imageRemoval: "image",
  noImageName: `can not resolve "" locally: ambiguous digest string`,
  readsEncodedAuth: true,
  statsNeedCgroupParent: true,
  containerStats: "all",
  defaultInterface: "eth0",
  verboseInfo: "config",
  createsInStoppedSandbox: false,
  imagesDirectory: "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs",
  filtersImages: false,
  reportsUser: false,
  reportsImageId: false,
  maxMessageBytes: 16 * mebibyte,
} as const;

export const containerd16: FlavorProfile = {
  ...containerd,
  name: "containerd-1.6",
  runtimeVersion: "1.6.20",
  sandboxImage: { reference: "registry.k8s.io/pause:3.6", pinned: false },
  unknown: [...newerThanContainerd, "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
  notImplemented: ["CheckpointContainer", "GetContainerEvents"],
  events: "off",
  failsOnMissing: ["StopContainer", "StopPodSandbox"],
  errors: containerdErrors({ emptyId: "Prefix can't be empty", shimSuffix: ": unknown", imageContext: "" }),
};

export const containerd17: FlavorProfile = {
  ...containerd,
  name: "containerd-1.7",
  runtimeVersion: "1.7.24",
  sandboxImage: { reference: "registry.k8s.io/pause:3.8", pinned: true },
  unknown: newerThanContainerd,
  notImplemented: ["CheckpointContainer", "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
  events: "shared",
  errors: containerdErrors({ emptyId: "prefix can't be empty", shimSuffix: ": unknown", imageContext: "" }),
};

export const containerd2: FlavorProfile = {
  ...containerd,
  name: "containerd-2",
  runtimeVersion: "2.1.9",
  sandboxImage: { reference: "registry.k8s.io/pause:3.10", pinned: true },
  unknown: newerThanContainerd,
  notImplemented: ["ListMetricDescriptors", "ListPodSandboxMetrics"],
  events: "broadcast",
  takenName: "FAILED_PRECONDITION",
  createsInStoppedSandbox: true,
  reportsUser: true,
  errors: containerdErrors({
    emptyId: "prefix can't be empty",
    shimSuffix: "",
    imageContext: "failed to check if this is a checkpoint image: ",
  }),
};
