import { type OperationSubject, podNames } from "../../tracing/subject.js";
import type { PodPlanParts } from "../planning/pod-plan-types.js";

/** Returns the names of a planned pod, for listeners. */
export function podSubject({ pod, uid }: Pick<PodPlanParts, "pod" | "uid">): OperationSubject {
  return { ...podNames(pod), podUid: uid };
}
