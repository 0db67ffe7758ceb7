import type { Container, CriClient, LogQuery, PodSandbox } from "../../../index.js";
import type { Container as ContainerEntry } from "../../../proto.js";
import { type SelectOptions, select } from "../../select.js";

/** How the user selects logs, apart from names. */
interface Selection extends SelectOptions {
  label?: Record<string, string>;
  container?: string;
  followNew?: boolean;
}

/** Finds the logs that a user selects by names and labels, and whether lines need a prefix to be told apart. */
export async function findLogs(
  cri: CriClient,
  names: readonly string[],
  options: Selection,
): Promise<{ queries: LogQuery[]; hasSeveral: boolean }> {
  const { label, container, namespace, followNew } = options;
  const targets =
    container === undefined
      ? await select(cri, names, options)
      : await select(
          cri,
          names.map((name) => `${name}/${container}`),
          { ...options, type: "container" },
        );
  const entries = await cri.containers.list();
  const named = targets.map((target, index) => queryFor(target, names[index] ?? target.id, entries));
  const byLabel: LogQuery[] = label ? [{ podLabels: label, podNamespace: namespace, container }] : [];
  const hasSeveral = byLabel.length > 0 || countContainers(targets, entries) > 1;
  return {
    queries: [...named, ...byLabel],
    hasSeveral: hasSeveral || (followNew === true && named.some((query) => !query.container)),
  };
}

/** A container that is named by its id is that one attempt. By any other name, it is also the attempts that follow. */
function queryFor(target: PodSandbox | Container, name: string, entries: readonly ContainerEntry[]): LogQuery {
  if (target.kind === "pod") return { pod: target };
  const entry = entries.find(({ id }) => id === target.id);
  if (target.id.startsWith(name) || !entry) return { id: target };
  return { pod: entry.podSandboxId, container: entry.metadata?.name };
}

/** Counts the containers by pod and name: attempts of one container are one log. */
function countContainers(targets: readonly (PodSandbox | Container)[], entries: readonly ContainerEntry[]): number {
  const ids = new Set(targets.map(({ id }) => id));
  const selected = entries.filter(({ id, podSandboxId }) => ids.has(id) || ids.has(podSandboxId));
  return new Set(selected.map(({ podSandboxId, metadata }) => `${podSandboxId}/${metadata?.name}`)).size;
}
