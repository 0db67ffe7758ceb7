import { InvalidInputError } from "../errors.js";
import type { Budget } from "../rpcs/budget.js";

/** The grace period of `container.stop()` if neither the call nor the spec sets one, as in Kubernetes. */
export const defaultGracePeriodSeconds = 30;

/** The largest value that every runtime accepts. */
const maxSeconds = 2 ** 31 - 1;

/**
 * The annotation that keeps `terminationGracePeriodSeconds` with a container. CRI has no field for it, and a pod may be stopped by
 * another process than the one that created its containers.
 */
export const gracePeriodAnnotation = "k8s-cri-client/termination-grace-period-seconds";

/** Returns the annotation for a grace period; none if the spec does not set one. */
export function annotateGracePeriod(seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { [gracePeriodAnnotation]: String(seconds) };
}

/** Reads the grace period from a container's annotations, in seconds; undefined if they have none. */
export function annotatedGracePeriod(annotations: Readonly<Record<string, string>>): number | undefined {
  const text = annotations[gracePeriodAnnotation] ?? "";
  return /^\d{1,10}$/.test(text) ? Math.min(Number(text), maxSeconds) : undefined;
}

/** Returns the grace period of each container of a stopped pod: the call's, else the container's own, else the pod's, else 0. */
export function gracePeriodIn(
  ofPod: number | undefined,
  given?: number | undefined,
): (container: { annotations: Readonly<Record<string, string>> }) => number {
  return ({ annotations }) => given ?? annotatedGracePeriod(annotations) ?? ofPod ?? 0;
}

/** The part of a time limit that is reserved for the time after the grace period: SIGKILL and the calls that remove objects. */
const reserveMs = 2_000;

/**
 * Shortens a grace period to end before the time limit, because a runtime does not kill the container once its caller has
 * disconnected.
 */
export function withinBudget(gracePeriodSeconds: number, budget: Budget): number {
  const leftMs = budget.leftMs();
  if (leftMs === undefined) return gracePeriodSeconds;
  return Math.max(0, Math.min(gracePeriodSeconds, Math.floor((leftMs - reserveMs) / 1_000)));
}

/** Converts to CRI's whole seconds. Rounds fractions up, because 0 has another meaning. @throws InvalidInputError */
export function wholeSeconds(value: number, field: string): number {
  if (typeof value === "number" && value >= 0 && value <= maxSeconds) return Math.ceil(value);
  throw new InvalidInputError({ field, message: `must be a number of seconds from 0 to ${maxSeconds}`, value });
}

/** Like {@link wholeSeconds}; undefined if not set. */
export function optionalSeconds(value: number | undefined, field: string): number | undefined {
  return value === undefined ? undefined : wholeSeconds(value, field);
}
