import type { CriClient, LogQuery } from "../../../index.js";
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
  const named = await Promise.all(names.map((name) => queryFor(cri, name, options)));
  const byLabel: LogQuery[] = label ? [{ podLabels: label, podNamespace: namespace, container }] : [];
  const queries = [...named, ...byLabel];
  const hasSeveral = byLabel.length > 0 || (await countContainers(cri, named)) > 1;
  return { queries, hasSeveral: hasSeveral || (followNew === true && named.some((query) => !query.container)) };
}

/** A container that is named by its id is that one attempt. By any other name, it is also the attempts that follow. */
async function queryFor(cri: CriClient, name: string, options: Selection): Promise<LogQuery> {
  const { container } = options;
  const target = await select(cri, container === undefined ? name : `${name}/${container}`, options);
  if (target.kind === "pod") return { pod: target, container };
  const [entry] = await cri.containers.list({ id: target.id });
  if (target.id.startsWith(name) || !entry) return { id: target };
  return { pod: entry.podSandboxId, container: entry.metadata?.name };
}

/** Counts the containers by pod and name: attempts of one container are one log. */
async function countContainers(cri: CriClient, queries: readonly LogQuery[]): Promise<number> {
  const lists = await Promise.all(
    queries.map(async ({ id, pod, container }) => {
      if (id !== undefined) return [String(typeof id === "string" ? id : id.id)];
      const containers = await cri.containers.list({ pod, name: container });
      return containers.map(({ podSandboxId, metadata }) => `${podSandboxId}/${metadata?.name}`);
    }),
  );
  return new Set(lists.flat()).size;
}
