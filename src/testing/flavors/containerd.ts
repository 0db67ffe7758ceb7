import { type FlavorProfile, mebibyte, streamingLists } from "./profile.js";

const newerThanContainerd = [...streamingLists, "UpdatePodSandboxResources", "CheckpointPod", "RestorePod"] as const;

const containerd = {
  family: "containerd",
  runtimeName: "containerd",
  takenName: "UNKNOWN",
  namePrefix: { sandbox: "", container: "" },
  stopMissing: "OK",
  removal: "kills",
  verboseInfo: "config",
  createsInStoppedSandbox: false,
  filtersImages: false,
  reportsImageId: false,
  emptyId: "prefix can't be empty",
  maxMessageBytes: 16 * mebibyte,
} as const;

export const containerd16: FlavorProfile = {
  ...containerd,
  name: "containerd-1.6",
  runtimeVersion: "1.6.20",
  unknown: [...newerThanContainerd, "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
  notImplemented: ["CheckpointContainer", "GetContainerEvents"],
  events: "off",
  stopMissing: "NOT_FOUND",
  emptyId: "Prefix can't be empty",
};

export const containerd17: FlavorProfile = {
  ...containerd,
  name: "containerd-1.7",
  runtimeVersion: "1.7.24",
  unknown: newerThanContainerd,
  notImplemented: ["CheckpointContainer", "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
  events: "shared",
};

export const containerd2: FlavorProfile = {
  ...containerd,
  name: "containerd-2",
  runtimeVersion: "2.1.9",
  unknown: newerThanContainerd,
  notImplemented: ["ListMetricDescriptors", "ListPodSandboxMetrics"],
  events: "broadcast",
  takenName: "FAILED_PRECONDITION",
  createsInStoppedSandbox: true,
};
