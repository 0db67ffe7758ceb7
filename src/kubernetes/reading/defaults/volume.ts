import type { DownwardApiItemManifest, ProjectionManifest, VolumeManifest } from "../../manifest/volume.js";
import { fieldWithDefaults, pullPolicyOf, resourceWithDefaults } from "./container.js";

/** 0644 */
const fileMode = 0o644;

/** Fills in the defaults of a volume. A volume without a source is an `emptyDir`. */
export function volumeWithDefaults(volume: VolumeManifest): VolumeManifest {
  const { name, emptyDir, hostPath, configMap, secret, downwardAPI, projected, image } = volume;
  if (hostPath) return { name, hostPath: { ...hostPath, type: hostPath.type ?? "" } };
  if (configMap) return { name, configMap: { ...configMap, defaultMode: configMap.defaultMode ?? fileMode } };
  if (secret) return { name, secret: { ...secret, defaultMode: secret.defaultMode ?? fileMode } };
  if (image) return { name, image: { ...image, pullPolicy: image.pullPolicy ?? pullPolicyOf(image.reference) } };
  if (downwardAPI) {
    const { items, defaultMode = fileMode } = downwardAPI;
    return { name, downwardAPI: { ...(items && { items: items.map(itemWithDefaults) }), defaultMode } };
  }
  if (projected) {
    const { sources, defaultMode = fileMode } = projected;
    return { name, projected: { ...(sources && { sources: sources.map(projectionWithDefaults) }), defaultMode } };
  }
  return { name, emptyDir: emptyDir ?? {} };
}

function itemWithDefaults(item: DownwardApiItemManifest): DownwardApiItemManifest {
  const { fieldRef, resourceFieldRef } = item;
  return {
    ...item,
    ...(fieldRef && { fieldRef: fieldWithDefaults(fieldRef) }),
    ...(resourceFieldRef && { resourceFieldRef: resourceWithDefaults(resourceFieldRef) }),
  };
}

function projectionWithDefaults(projection: ProjectionManifest): ProjectionManifest {
  const { downwardAPI, serviceAccountToken } = projection;
  if (downwardAPI?.items) return { downwardAPI: { items: downwardAPI.items.map(itemWithDefaults) } };
  if (!serviceAccountToken) return projection;
  const { expirationSeconds = 3600 } = serviceAccountToken;
  return { serviceAccountToken: { ...serviceAccountToken, expirationSeconds } };
}
