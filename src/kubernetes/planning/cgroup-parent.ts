import type { NodeConfig } from "../node/node-config.js";
import type { QosClass } from "./qos-class.js";

/**
 * Returns the cgroup of a pod, in the form of the cgroup driver: `/kubepods/burstable/pod<uid>`, or for systemd
 * `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice`. Empty without `cgroupsPerQos`, whatever the root.
 */
export function cgroupParentOf(node: NodeConfig, qosClass: QosClass, uid: string): string {
  const root = node.cgroupRoot.split("/").filter((part) => part !== "");
  const qos = qosClass === "Guaranteed" ? [] : [qosClass.toLowerCase()];
  if (!node.cgroupsPerQos) return "";
  const parts = [...root, "kubepods", ...qos, `pod${uid}`];
  if (node.cgroupDriver === "cgroupfs") return `/${parts.join("/")}`;
  // The name of a slice contains the names of the slices above it, so that it cannot contain a hyphen of its own.
  const names = parts.map((part) => part.replaceAll("-", "_"));
  return `/${names.map((_, index) => `${names.slice(0, index + 1).join("-")}.slice`).join("/")}`;
}
