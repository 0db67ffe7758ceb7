import { Capability, LinuxContainerSecurityContext, type NamespaceOption } from "../../proto.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import { imageUserOf } from "./image-user.js";
import type { ImageFacts } from "./pod-plan-types.js";
import { groupsOf, id, selinux } from "./pod-security.js";
import { appArmorOf, seccompProfileOf } from "./security-profiles.js";

/** In the order of a kubelet. */
const maskedPaths: readonly string[] = [
  "/proc/asound",
  "/proc/acpi",
  "/proc/interrupts",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/proc/scsi",
  "/sys/firmware",
  "/sys/devices/virtual/powercap",
];

const readonlyPaths: readonly string[] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** Returns the security settings of a container. Its own settings take precedence over the pod's, then the image's user. */
export function containerSecurity(
  pod: PodManifest,
  container: ContainerManifest,
  node: NodeConfig,
  image: ImageFacts,
  namespaceOptions: NamespaceOption,
): LinuxContainerSecurityContext {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser;
  const imageUser = imageUserOf(image);
  const isUnmasked = own.procMount === "Unmasked";
  return LinuxContainerSecurityContext.create({
    capabilities:
      own.capabilities &&
      Capability.create({
        addCapabilities: [...(own.capabilities.add ?? [])],
        dropCapabilities: [...(own.capabilities.drop ?? [])],
      }),
    privileged: own.privileged ?? false,
    namespaceOptions,
    selinuxOptions: selinux(own.seLinuxOptions ?? shared.seLinuxOptions),
    runAsUser: id(runAsUser ?? imageUser.uid),
    runAsUsername: runAsUser === undefined ? imageUser.username : "",
    runAsGroup: id(own.runAsGroup ?? shared.runAsGroup),
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    ...groupsOf(shared),
    noNewPrivs: own.allowPrivilegeEscalation === false,
    maskedPaths: isUnmasked ? [] : [...maskedPaths, ...(node.maskedPaths ?? [])],
    readonlyPaths: isUnmasked ? [] : [...readonlyPaths],
    seccomp: seccompProfileOf(pod, container, node),
    ...appArmorOf(pod, container),
  });
}
