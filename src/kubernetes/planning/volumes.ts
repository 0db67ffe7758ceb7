import { fieldPath } from "../../internal/field-names.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { VolumeManifest } from "../manifest/volume.js";
import { mediumOf } from "./empty-dir.js";
import { imagePlan } from "./images.js";
import type { PodContext } from "./pod-context.js";
import type { VolumePlan } from "./pod-plan-types.js";
import { VolumeFiles } from "./volume-files.js";

type FilesVolume = Extract<VolumePlan, { kind: "files" }>;

/** The directories of a kubelet's volumes, below `<pod>/volumes`. */
const directories = {
  emptyDir: "kubernetes.io~empty-dir",
  configMap: "kubernetes.io~configmap",
  secret: "kubernetes.io~secret",
  downwardAPI: "kubernetes.io~downward-api",
  projected: "kubernetes.io~projected",
};

/**
 * Plans the volumes of a pod, in the order of its manifest. Missing objects, keys and tokens become faults. A kubelet gets a volume
 * with the default token from the API server (`kube-api-access-…`); here, pods have the volumes of their manifest only.
 */
export function volumesOf(context: PodContext, faults: ManifestFaults): VolumePlan[] {
  return (context.pod.spec.volumes ?? []).map((volume, index) =>
    planVolume(context, volume, fieldPath("spec.volumes", index), faults),
  );
}

function planVolume(context: PodContext, volume: VolumeManifest, path: string, faults: ManifestFaults): VolumePlan {
  const { name, hostPath, image, emptyDir = {} } = volume;
  if (hostPath) return { kind: "hostPath", name, path: hostPath.path, type: hostPath.type ?? "" };
  if (image) {
    return { kind: "image", name, image: imagePlan(image.reference, image.pullPolicy) };
  }
  const fsGroup = context.pod.spec.securityContext?.fsGroup;
  const shared = (kind: keyof typeof directories) => ({
    name,
    path: `${context.podDirectory}/volumes/${directories[kind]}/${name}`,
    ...(fsGroup !== undefined && { fsGroup }),
  });
  const source = sourceOf(volume);
  if (source !== undefined) {
    return { kind: "files", source, ...shared(source), files: filesOf(context, volume, path, faults) };
  }
  return { kind: "emptyDir", ...shared("emptyDir"), ...mediumOf(context, emptyDir, `${path}.emptyDir`, faults) };
}

function sourceOf(volume: VolumeManifest): FilesVolume["source"] | undefined {
  return (["configMap", "secret", "downwardAPI", "projected"] as const).find((source) => volume[source]);
}

function filesOf(context: PodContext, volume: VolumeManifest, path: string, faults: ManifestFaults) {
  const { configMap, secret, downwardAPI, projected } = volume;
  const { defaultMode } = configMap ?? secret ?? downwardAPI ?? projected ?? {};
  const files = new VolumeFiles(context, defaultMode, faults);
  if (configMap) files.addObject({ ...configMap, kind: "ConfigMap", path: `${path}.configMap` }, configMap.items);
  if (secret) {
    const { secretName: name, optional, items } = secret;
    files.addObject({ kind: "Secret", name, optional, path: `${path}.secret` }, items);
  }
  if (downwardAPI) files.addDownwardApi(downwardAPI.items, `${path}.downwardAPI`);
  if (projected) files.addProjected(projected, `${path}.projected`);
  return files.list;
}
