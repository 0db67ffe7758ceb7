import { InvalidInputError } from "../errors.js";
import type { Budget } from "../rpcs/budget.js";

/** The grace period of `containers.stop` where neither the call nor the spec sets one: that of a Kubernetes pod. */
export const defaultGracePeriodSeconds = 30;

/** The largest value that every runtime takes. */
const mostSeconds = 2 ** 31 - 1;

/**
 * The annotation that keeps `terminationGracePeriodSeconds` with a container. CRI has no field for it, and a pod may be stopped by
 * another process than the one that created its containers.
 */
export const gracePeriodAnnotation = "k8s-cri-client/termination-grace-period-seconds";

/** The annotation for a grace period; none if the spec does not set one. */
export function annotateGracePeriod(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { [gracePeriodAnnotation]: String(seconds) };
}

/** The grace period that a container's annotations keep, in seconds; undefined if they keep none. */
export function annotatedGracePeriod(annotations: Readonly<Record<string, string>>): number | undefined {
  const text = annotations[gracePeriodAnnotation] ?? "";
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), mostSeconds) : undefined;
}

/** The grace period of a container when its pod is stopped: what the call says, the container's own, the pod's, else none. */
export function gracePeriodIn(
  ofPod: number | undefined,
  given?: number | undefined,
): (container: { annotations: Readonly<Record<string, string>> }) => number {
  return ({ annotations }) => given ?? annotatedGracePeriod(annotations) ?? ofPod ?? 0;
}

/** What of a budget is kept for the time after a grace period: SIGKILL, and the calls that remove things. */
const reserveMs = 2_000;

/** Shortens a grace period so that the budget outlasts it: a runtime forgets to kill when its caller is gone. */
export function withinBudget(gracePeriodSeconds: number, budget: Budget): number {
  const leftMs = budget.leftMs();
  if (leftMs === undefined) return gracePeriodSeconds;
  return Math.max(0, Math.min(gracePeriodSeconds, Math.floor((leftMs - reserveMs) / 1_000)));
}

/** CRI counts in whole seconds. Fractions are rounded up, because 0 means something else. */
export function wholeSeconds(value: number, field: string): number {
  if (typeof value === "number" && value >= 0 && value <= mostSeconds) return Math.ceil(value);
  throw new InvalidInputError({ field, message: `must be a number of seconds from 0 to ${mostSeconds}`, value });
}

/** As {@link wholeSeconds}; undefined if not set. */
export function optionalSeconds(value: number | undefined, field: string): number | undefined {
  return value === undefined ? undefined : wholeSeconds(value, field);
}
