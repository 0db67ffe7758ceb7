import type { ProjectedVolumeManifest, VolumeManifest } from "../../manifest/volume.js";
import type { Place } from "../schema/place.js";
import type { Check } from "../schema/scalars.js";
import type { Draft } from "../schema/schema.js";

/** Media of `emptyDir`. */
export const mediumName: Check = (value) => {
  if (value === "Memory" || value === "HugePages" || /^HugePages-[1-9]\d*[KMG]i$/.test(value)) return undefined;
  return 'must be "Memory", "HugePages" or "HugePages-<size>" such as "HugePages-2Mi"';
};

/** Checks that a volume has at most one source. A volume without a source is an `emptyDir`. */
export function atMostOneSource(volume: Draft<VolumeManifest>, at: Place): void {
  const sources = Object.keys(volume).filter((key) => key !== "name");
  if (sources.length > 1) at.fault(`must have only one of ${sources.join(", ")}`);
}

/** Checks that no two items of a projected volume are written to one path. Of other volumes, the last item applies. */
export function distinctPaths({ sources = [] }: Draft<ProjectedVolumeManifest>, at: Place): void {
  const seen = new Map<string, string>();
  for (const [number, source] of sources.entries()) {
    for (const kind of ["configMap", "secret", "downwardAPI"] as const) {
      for (const [index, item] of (source?.[kind]?.items ?? []).entries()) {
        if (item?.path === undefined) continue;
        const place = at.at("sources", number, kind, "items", index, "path");
        const first = seen.get(item.path);
        if (first !== undefined) place.refuse(`must be unique in the volume; ${first} has the same`, item.path);
        else seen.set(item.path, `sources[${number}].${kind}.items[${index}]`);
      }
    }
  }
}
