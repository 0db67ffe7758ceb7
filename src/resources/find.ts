import { CriError, InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { Container } from "../proto.js";
import { startBudget } from "../rpcs/budget.js";
import { listPodSandboxes } from "../rpcs/pods.js";
import type { Connection } from "../transport/connection.js";
import { type ContainerFilter, checkContainerFilter } from "./container-filter.js";
import { listMatchingContainers, listPods } from "./filtered-list.js";
import { latestAttempt, latestPod, nameOfPod } from "./latest.js";
import { checkPodFilter, type PodFilter } from "./pod-filter.js";

/**
 * Finds the latest attempt of the one pod that matches a filter.
 *
 * @returns its id, or `undefined` if no pod matches
 * @throws CriError `FAILED_PRECONDITION` if pods with different names or namespaces match
 */
export async function findPod(
  connection: Connection,
  filter: PodFilter,
  options?: CallOptions,
): Promise<string | undefined> {
  requireCriterion(checkPodFilter(filter));
  const pods = await listPods(connection, filter, options);
  requireOne(connection, "pods", pods.map(nameOfPod));
  return latestPod(pods)?.id;
}

/**
 * Finds the latest attempt of the one container that matches a filter.
 *
 * @returns its id, or `undefined` if no container matches
 * @throws CriError `FAILED_PRECONDITION` if containers with different names, or of different pods, match
 */
export async function findContainer(
  connection: Connection,
  filter: ContainerFilter,
  options?: CallOptions,
): Promise<string | undefined> {
  requireCriterion(checkContainerFilter(filter));
  const budget = startBudget(connection, options, 1);
  const containers = await listMatchingContainers(connection, filter, budget.options());
  const sandboxIds = new Set(containers.map(({ podSandboxId }) => podSandboxId));
  if (sandboxIds.size <= 1) {
    requireOne(
      connection,
      "containers",
      containers.map(({ metadata }) => `${metadata?.name}`),
    );
    return latestAttempt(containers)?.id;
  }
  // Attempts of one pod are different sandboxes: only their metadata shows that they are the same pod.
  const sandboxes = await listPodSandboxes(connection, undefined, budget.options());
  const pods = new Map(sandboxes.filter(({ id }) => sandboxIds.has(id)).map((pod) => [pod.id, pod]));
  // Leaves out the containers of pods that were removed since the containers were listed.
  const existing = containers.filter(({ podSandboxId }) => pods.has(podSandboxId));
  const nameOf = ({ metadata, podSandboxId }: Container) =>
    `${metadata?.name} in ${nameOfPod(pods.get(podSandboxId)!)}`;
  requireOne(connection, "containers", existing.map(nameOf));
  const latest = latestPod([...pods.values()]);
  return latestAttempt(existing.filter(({ podSandboxId }) => podSandboxId === latest?.id))?.id;
}

/** Refuses a filter that selects everything, for example because its only field is undefined by mistake. */
function requireCriterion(checked: { labels: Record<string, string> }): void {
  const { labels, ...others } = checked;
  if (Object.keys(labels).length > 0 || Object.values(others).some((value) => value !== undefined)) return;
  throw new InvalidInputError({
    field: "filter",
    message: "must have at least one field that is set; use list() for everything",
  });
}

function requireOne({ endpoint }: Connection, what: "pods" | "containers", names: readonly string[]): void {
  const different = [...new Set(names)];
  if (different.length <= 1) return;
  const shown = different.sort().slice(0, 3).join(", ");
  const more = different.length > 3 ? ` and ${different.length - 3} more` : "";
  const message = `the filter matches ${different.length} ${what} (${shown}${more}); narrow the filter, or use list()`;
  throw new CriError({ code: "FAILED_PRECONDITION", message, endpoint, attempts: 1 });
}
