import { posix } from "node:path";
import { type ImageSpec, Mount, MountPropagation } from "../../proto.js";
import type { ContainerManifest, VolumeMountManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { ContainerEnvironment } from "./environment.js";
import { hostsFileOf } from "./hosts-file.js";
import { containerPath, type PodContext } from "./pod-context.js";
import type { SubPathPlan, VolumePlan } from "./pod-plan-types.js";

/** What the mounts of one attempt depend on, beside the pod. */
export interface MountInputs {
  volumes: readonly VolumePlan[];
  environment: ContainerEnvironment;
  podIPs: readonly string[];
  /** The image of an image volume, by the name of the volume. */
  imageVolumes: Readonly<Record<string, ImageSpec>>;
  /** Path on the node of the termination message; undefined if the container has none. */
  terminationMessagePath: string | undefined;
}

const propagations = {
  None: MountPropagation.PROPAGATION_PRIVATE,
  HostToContainer: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  Bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

/**
 * Plans the mounts of a container in the order of a kubelet: volumes, the hosts file, the termination message. Sub-paths that
 * cannot be expanded or leave their volume become faults, and so do mounts that the runtime cannot make recursively read-only.
 */
export function mountsOf(
  context: PodContext,
  container: ContainerManifest,
  inputs: MountInputs,
  faults: ManifestFaults,
): { mounts: Mount[]; subPaths: SubPathPlan[] } {
  const path = containerPath(context.pod, container);
  const mounts: Mount[] = [];
  const subPaths: SubPathPlan[] = [];
  const add = (mount: Partial<Mount>) => mounts.push(Mount.create({ ...mount, ...idMappings(context) }));
  const volumeMounts = container.volumeMounts ?? [];
  for (const [index, volumeMount] of volumeMounts.entries()) {
    const at = `${path}.volumeMounts[${index}]`;
    const volume = inputs.volumes.find(({ name }) => name === volumeMount.name);
    if (volume === undefined) {
      faults.add(`${at}.name`, `names no volume of the pod, got ${JSON.stringify(volumeMount.name)}`);
      continue;
    }
    const subPath = subPathOf(volumeMount, inputs.environment, at, faults);
    const readonly = volumeMount.readOnly === true || volume.kind === "files" || volume.kind === "image";
    let hostPath = "path" in volume ? volume.path : "";
    if (subPath !== "" && "path" in volume) {
      const { name } = container;
      hostPath = `${context.podDirectory}/volume-subpaths/${volume.name}/${name}/${index}`;
      subPaths.push({ container: name, volumePath: volume.path, subPath: normalized(subPath), path: hostPath });
    }
    add({
      containerPath: posix.isAbsolute(volumeMount.mountPath) ? volumeMount.mountPath : `/${volumeMount.mountPath}`,
      hostPath,
      readonly,
      recursiveReadOnly: isRecursiveReadOnly(context, volumeMount, at, faults),
      propagation: propagations[volumeMount.mountPropagation ?? "None"],
      selinuxRelabel: context.node.selinuxEnabled && (volume.kind === "emptyDir" || volume.kind === "files"),
      image: volume.kind === "image" ? inputs.imageVolumes[volume.name] : undefined,
      // In pods with an image volume, a kubelet sets this for other volumes too. Runtimes ignore it there.
      imageSubPath: inputs.volumes.some(({ kind }) => kind === "image") ? subPath : "",
    });
  }

  const own = { selinuxRelabel: context.node.selinuxEnabled };
  const hostsFile = hostsFileOf(context, inputs.podIPs);
  if (hostsFile !== undefined && !volumeMounts.some(({ mountPath }) => mountPath === "/etc/hosts")) {
    add({ ...own, containerPath: "/etc/hosts", hostPath: hostsFile.path });
  }
  if (inputs.terminationMessagePath !== undefined) {
    const { terminationMessagePath = "/dev/termination-log" } = container;
    add({ ...own, containerPath: terminationMessagePath, hostPath: inputs.terminationMessagePath });
  }
  return { mounts, subPaths };
}

function normalized(subPath: string): string {
  return posix.resolve("/", subPath).slice(1) || ".";
}

/** In a user namespace, files on the node have the ids that they have in the pod. */
function idMappings({ userNamespace }: PodContext): Pick<Mount, "uidMappings" | "gidMappings"> {
  const mappings = () => (userNamespace ? [{ containerId: 0, ...userNamespace }] : []);
  return { uidMappings: mappings(), gidMappings: mappings() };
}

function subPathOf(
  { subPath = "", subPathExpr = "" }: VolumeMountManifest,
  environment: ContainerEnvironment,
  path: string,
  faults: ManifestFaults,
): string {
  const at = `${path}.${subPathExpr === "" ? "subPath" : "subPathExpr"}`;
  const missing = environment.missingIn(subPathExpr);
  if (missing.length > 0) {
    faults.add(at, `refers to variables without a value: ${missing.join(", ")}; set them in env`);
    return "";
  }
  const expanded = subPathExpr === "" ? subPath : environment.expand(subPathExpr);
  if (!posix.isAbsolute(expanded) && !expanded.split("/").includes("..")) return expanded;
  // The value is not shown: it may contain variables.
  faults.add(
    at,
    subPathExpr === "" ? "must be a relative path without '..'" : "must expand to a relative path without '..'",
  );
  return "";
}

function isRecursiveReadOnly(
  { node, runtimeHandler }: PodContext,
  { recursiveReadOnly = "Disabled", readOnly, mountPropagation = "None" }: VolumeMountManifest,
  path: string,
  faults: ManifestFaults,
): boolean {
  if (recursiveReadOnly === "Disabled") return false;
  const at = `${path}.recursiveReadOnly`;
  if (!readOnly) faults.add(at, "needs readOnly: true");
  if (mountPropagation !== "None") faults.add(at, "needs mountPropagation: None");
  const supported = node.recursiveReadOnlyMounts[runtimeHandler] === true;
  if (!supported && recursiveReadOnly === "Enabled") {
    const handler = runtimeHandler === "" ? "" : ` for the handler ${runtimeHandler}`;
    faults.add(at, `the runtime has no recursive read-only mounts${handler}; use IfPossible`);
  }
  return supported;
}
