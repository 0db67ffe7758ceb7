import type { Stats } from "node:fs";
import { realpath, rmdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CriError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import { absolutePath, flag, optionalPath } from "../../input/check.js";
import { linkAbort } from "../../internal/abort.js";
import { toText } from "../../internal/files/byte-string.js";
import { emptyFolder } from "../../internal/files/empty-folder.js";
import { Folder } from "../../internal/files/folder.js";
import type { CallOptions } from "../../options.js";
import { type Budget, callOptionsOf, startBudget } from "../../rpcs/budget.js";
import { listContainers } from "../../rpcs/containers.js";
import { listPodSandboxes } from "../../rpcs/pods.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { LoggedPods } from "./logged-pods.js";
import { pruneLinks } from "./prune-links.js";
import { pruneLogFiles } from "./prune-log-files.js";
import { amount } from "./removals.js";

/** Options of `pods.pruneLogs`. `timeoutMs` and `deadline` limit the whole operation. */
export interface PruneLogsOptions extends CallOptions {
  /**
   * A directory of symbolic links to logs, such as a kubelet's `/var/log/containers`. Links to logs below the root are removed if
   * the log and the container do not exist any more.
   */
  links?: string | undefined;
  /**
   * Keeps directories and files that changed more recently than this. The directory of a pod may exist before its sandbox.
   *
   * @defaultValue 120,000 (two minutes)
   */
  minAgeMs?: number | undefined;
  /** Removes nothing and only returns what would be removed. @defaultValue false */
  dryRun?: boolean | undefined;
}

const pruneLogsFields: FieldsOf<PruneLogsOptions> = { links: true, minAgeMs: true, dryRun: true, ...callOptionFields };

/** The result of `pods.pruneLogs`: paths, those that would be removed with `dryRun`. */
export interface PrunedLogs {
  /** The log directories of pods that do not exist any more. */
  directories: string[];
  /** The logs of containers that do not exist any more, in the directories of pods that do. Includes rotated files. */
  files: string[];
  /** The symbolic links to logs that do not exist any more. */
  links: string[];
  /** What could not be removed. */
  failed: { path: string; error: unknown }[];
}

const defaultMinAgeMs = 120_000;

/** The time limit for one directory, in milliseconds: another program may keep adding files. */
const directoryMs = 30_000;

/** Removes the logs of pods and containers that do not exist any more. */
export const pruneLogs = asWorkflow({ name: "pods.pruneLogs" }, removeObsoleteLogs);

async function removeObsoleteLogs(
  connection: Connection,
  root: string,
  options: PruneLogsOptions = {},
): Promise<PrunedLogs> {
  checkOptions(options, pruneLogsFields);
  const given = absolutePath(root, "root");
  const links = optionalPath(options.links, "links");
  const minAgeMs = amount(options.minAgeMs, "minAgeMs", "milliseconds") ?? defaultMinAgeMs;
  const dryRun = flag(options.dryRun, "dryRun");
  // Counts from the start, so that a log of a container that is created after the listing is never old enough.
  const since = Date.now() + 1 - minAgeMs;
  const isYoung = ({ mtimeMs }: Stats) => mtimeMs > since;
  const budget = startBudget(connection, callOptionsOf(options), undefined);
  budget.caller.signal?.throwIfAborted();
  requireLocal(connection);

  const result: PrunedLogs = { directories: [], files: [], links: [], failed: [] };
  const rootPath = await realpath(given);
  const linksPath = links === "" ? undefined : await realpath(links);
  await using folder = await Folder.open(rootPath);
  const names: string[] = [];
  for await (const name of folder.names()) names.push(name);
  // Pods are listed after directories, so that the list contains a pod that is created in between.
  const pods = await listPodSandboxes(connection, undefined, budget.options());
  const containers = await listContainers(connection, undefined, budget.options());
  const context = { folder, rootPath, isYoung, dryRun, budget, result };
  const node = new LoggedPods(connection, pods, containers);
  for (const name of names) {
    budget.options();
    budget.caller.signal?.throwIfAborted();
    if (node.has(name)) await pruneFiles(context, name, node);
    else if (isPodDirectory(name)) await pruneDirectory(context, name);
  }
  if (linksPath !== undefined) {
    const dead = {
      roots: [resolve(given), rootPath],
      removed: new Set(result.directories.map((path) => basename(path))),
      containerIds: new Set(containers.map(({ id }) => id)),
    };
    await pruneLinks(linksPath, dead, dryRun, (path, error) => {
      if (error === undefined) result.links.push(path);
      else result.failed.push({ path, error });
    });
  }
  return result;
}

interface Context {
  readonly folder: Folder;
  readonly rootPath: string;
  readonly isYoung: (stats: Stats) => boolean;
  readonly dryRun: boolean;
  readonly budget: Budget;
  readonly result: PrunedLogs;
}

/** Returns whether a name has the form of a kubelet: namespace, pod name and uid. */
function isPodDirectory(name: string): boolean {
  return /^[^_]+_.+_[^_]+$/.test(name);
}

/** Removes the log directory of a pod that does not exist. */
async function pruneDirectory(
  { folder, rootPath, isYoung, dryRun, budget, result }: Context,
  name: string,
): Promise<void> {
  const path = join(rootPath, toText(name));
  const stats = await folder.lstat(name);
  if (!stats?.isDirectory() || isYoung(stats)) return;
  await settle(result, path, budget, async () => {
    if (!dryRun) {
      const link = linkAbort(budget.caller.signal, AbortSignal.timeout(directoryMs));
      try {
        await using directory = await folder.folder(name);
        await emptyFolder(directory, { signal: link.signal });
      } finally {
        link.unlink();
      }
      await rmdir(folder.at(name));
    }
    result.directories.push(path);
  });
}

/** Removes the logs of containers that do not exist from the log directory of a pod. */
async function pruneFiles(
  { folder, rootPath, isYoung, dryRun, budget, result }: Context,
  name: string,
  node: LoggedPods,
): Promise<void> {
  if (!node.isExact(name) || !(await folder.lstat(name))?.isDirectory()) return;
  const path = join(rootPath, toText(name));
  await settle(result, path, budget, async () => {
    await using directory = await folder.folder(name);
    await pruneLogFiles(directory, {
      hasContainer: (container, attempt) => node.hasContainer(name, container, attempt),
      logPaths: () => node.logPaths(name, budget),
      isYoung,
      remove: async (file, remove) => {
        if (!dryRun) await remove();
        result.files.push(join(path, file));
      },
    });
  });
}

/** Records the failure of a step, unless the caller has cancelled the whole operation. */
async function settle({ failed }: PrunedLogs, path: string, budget: Budget, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    budget.caller.signal?.throwIfAborted();
    failed.push({ path, error });
  }
}

function requireLocal({ options, endpoint }: Connection): void {
  if (options.endpoint.kind !== "tcp") return;
  const message = "removing logs needs a runtime on this machine: the endpoint must be a Unix socket or a named pipe";
  throw new CriError({ code: "FAILED_PRECONDITION", message, endpoint });
}
