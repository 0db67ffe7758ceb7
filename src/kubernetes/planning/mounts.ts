import type { ImageSpec, Mount } from "../../proto.js";
import type { ContainerManifest } from "../manifest/container.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { ContainerEnvironment } from "./environment.js";
import type { PodContext } from "./pod-context.js";
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

/** Plans the mounts of a container in the order of a kubelet: volumes, hosts file, termination message. */
export declare function mountsOf(
  context: PodContext,
  container: ContainerManifest,
  inputs: MountInputs,
  faults: ManifestFaults,
): { mounts: Mount[]; subPaths: SubPathPlan[] };
