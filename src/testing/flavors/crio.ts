import { type FlavorProfile, mebibyte, streamingLists } from "./profile.js";

export const crio: FlavorProfile = {
  name: "cri-o",
  family: "cri-o",
  runtimeName: "cri-o",
  runtimeVersion: "1.34.0",
  unknown: [...streamingLists, "CheckpointPod", "RestorePod"],
  notImplemented: [],
  events: "off",
  takenName: "holder",
  namePrefix: { sandbox: "k8s_", container: "k8s_" },
  stopMissing: "OK",
  removal: "waitsForDeadline",
  verboseInfo: "runtimeSpec",
  createsInStoppedSandbox: false,
  filtersImages: true,
  reportsImageId: true,
  emptyId: "ID should not be empty",
  maxMessageBytes: 80 * mebibyte,
};
