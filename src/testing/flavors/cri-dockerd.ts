import { type FlavorProfile, mebibyte, streamingLists } from "./profile.js";

export const criDockerd: FlavorProfile = {
  name: "cri-dockerd",
  family: "docker",
  runtimeName: "docker",
  runtimeVersion: "26.1.5",
  unknown: [...streamingLists, "UpdatePodSandboxResources", "CheckpointPod", "RestorePod"],
  notImplemented: ["CheckpointContainer", "GetContainerEvents", "ListMetricDescriptors", "ListPodSandboxMetrics"],
  events: "off",
  takenName: "UNKNOWN",
  namePrefix: { sandbox: "k8s_POD_", container: "k8s_" },
  stopMissing: "NOT_FOUND",
  removal: "kills",
  verboseInfo: "none",
  createsInStoppedSandbox: true,
  filtersImages: true,
  reportsImageId: false,
  emptyId: "No such container: ",
  maxMessageBytes: 16 * mebibyte,
};
