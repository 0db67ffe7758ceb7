import type { VolumeManifest } from "../../manifest/volume.js";
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

/** Checks that no two items of a volume are written to one path. */
export function distinctPaths(
  { items = [] }: { items?: readonly ({ path?: string | undefined } | undefined)[] | undefined },
  at: Place,
): void {
  const seen = new Map<string, number>();
  for (const [index, item] of items.entries()) {
    if (item?.path === undefined) continue;
    const first = seen.get(item.path);
    if (first !== undefined)
      at.at("items", index, "path").refuse(`must be unique; entry ${first} has the same`, item.path);
    else seen.set(item.path, index);
  }
}
