import type { VolumeMountManifest } from "../../manifest/container.js";
import type { Place } from "../schema/place.js";
import type { Draft } from "../schema/schema.js";

/** Checks the options of a mount that exclude each other. */
export function mountOptions(mount: Draft<VolumeMountManifest>, at: Place): void {
  if (Object.hasOwn(mount, "subPath") && Object.hasOwn(mount, "subPathExpr")) {
    at.at("subPathExpr").fault("must not be set with subPath", "key");
  }
  if (mount.recursiveReadOnly !== "Enabled" && mount.recursiveReadOnly !== "IfPossible") return;
  const place = at.at("recursiveReadOnly");
  if (mount.readOnly !== true) place.refuse("needs readOnly: true", mount.recursiveReadOnly);
  if (mount.mountPropagation !== undefined && mount.mountPropagation !== "None") {
    place.refuse('needs mountPropagation: "None"', mount.recursiveReadOnly);
  }
}
