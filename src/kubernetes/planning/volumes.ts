import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { PodContext } from "./pod-context.js";
import type { VolumePlan } from "./pod-plan-types.js";

/** Plans the volumes of a pod, in the order of its manifest. Missing objects, keys and tokens become faults. */
export declare function volumesOf(context: PodContext, faults: ManifestFaults): VolumePlan[];
