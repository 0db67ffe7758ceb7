import type { Container, PodSandbox } from "../proto.js";

/** Returns the highest attempt of the newest uid. A pod that was created again has another uid and begins at attempt 0. */
export function latestPod(pods: readonly PodSandbox[]): PodSandbox | undefined {
  const [newest] = pods.toSorted((one, other) => other.createdAt.compare(one.createdAt));
  return latestAttempt(pods.filter(({ metadata }) => metadata?.uid === newest?.metadata?.uid));
}

/** Returns the object with the highest attempt number; of those with the same number, the newest. */
export function latestAttempt<T extends PodSandbox | Container>(objects: readonly T[]): T | undefined {
  const attemptOf = ({ metadata }: T) => metadata?.attempt ?? 0;
  return objects.toSorted(
    (one, other) => attemptOf(other) - attemptOf(one) || other.createdAt.compare(one.createdAt),
  )[0];
}

/** Returns the name of a pod with its namespace, as users write it. */
export function nameOfPod({ metadata }: Pick<PodSandbox, "metadata">): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
