import { CriError } from "../errors.js";
import { invalid } from "../input/check.js";
import { hasDescriptors } from "../internal/files/descriptors.js";
import { forEachSettled } from "../internal/for-each.js";
import { toDate } from "../internal/time.js";
import type { CallOptions } from "../options.js";
import type { ContainerStatus } from "../proto.js";
import { type Budget, startBudget } from "../rpcs/budget.js";
import { containerStatus } from "../rpcs/containers.js";
import { parseVerboseInfo, pidIn } from "../specs/verbose-info.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import { listMatchingContainers } from "./filtered-list.js";
import { cgroupIdsOf, type LocalProcess, withAncestors } from "./local-process.js";

/** The largest process id: 2^22 on Linux today; `pid_t` has 32 bits. */
const maxPid = 0x7fff_ffff;

/** The limit for ids in the control groups of a process. Nested containers add one per level. */
const maxCandidates = 8;

/** The number of containers to inspect at the same time. */
const concurrency = 8;

/** The tolerated difference between a process's start time and the times that the runtime reports, in milliseconds. */
const toleranceMs = 10_000;

/**
 * Finds the container that a process of this machine runs in: by the ids in its control groups, or, where these contain none, by
 * the process ids of the running containers.
 *
 * @returns the container's id, or `undefined` if the process runs in no container of this runtime, or does not exist
 */
export const findContainerByPid = asWorkflow({ name: "containers.findByPid" }, findIdByPid);

async function findIdByPid(connection: Connection, pid: number, options?: CallOptions): Promise<string | undefined> {
  if (!Number.isInteger(pid) || pid < 1 || pid > maxPid) invalid("pid", "must be a positive whole number", pid);
  const budget = startBudget(connection, options, 1);
  requireLocal(connection);
  const candidates = await cgroupIdsOf(pid);
  if (candidates === undefined) return undefined;
  // An id is that of a container of this runtime only if the runtime lists it.
  for (const id of candidates.slice(0, maxCandidates)) {
    const listed = await listMatchingContainers(connection, { id }, budget.options());
    if (listed.some((container) => container.id === id)) return id;
  }
  return findByMainProcess(connection, await withAncestors(pid), budget);
}

/** Finds the container whose main process is one of these processes. */
async function findByMainProcess(
  connection: Connection,
  processes: readonly LocalProcess[],
  budget: Budget,
): Promise<string | undefined> {
  const running = await listMatchingContainers(connection, { state: "running" }, budget.options());
  let found: string | undefined;
  let isCertain = false;
  const failures = await forEachSettled(running, concurrency, async ({ id }) => {
    if (isCertain) return;
    const { status, info } = await containerStatus(connection, id, true, budget.options());
    const pid = pidIn(parseVerboseInfo(info));
    if (pid === undefined) return;
    if (processes.some((process) => isMainProcess(process, pid, status))) {
      found = id;
      isCertain = true;
    } else if ((await cgroupIdsOf(pid))?.includes(id)) {
      // Control groups contain container ids on this runtime, but those of the process do not: it runs in no container.
      isCertain = true;
    }
  });
  if (isCertain) return found;
  const failure = failures.find((error) => !CriError.is(error, "NOT_FOUND"));
  if (failure !== undefined) throw failure;
  return undefined;
}

/**
 * Returns whether a process is the main process of a container. Also compares the start times: a runtime in another pid namespace
 * reports process ids that belong to other processes here.
 */
function isMainProcess(process: LocalProcess, pid: number, status: ContainerStatus): boolean {
  const createdAt = toDate(status.createdAt)?.getTime() ?? 0;
  const startedAt = toDate(status.startedAt)?.getTime() ?? Date.now();
  return (
    process.pids.includes(pid) &&
    process.startedAt >= createdAt - toleranceMs &&
    process.startedAt <= startedAt + toleranceMs
  );
}

/** Requires that the runtime is on this machine, and that its processes can be read. */
function requireLocal({ options, endpoint }: Connection): void {
  const { kind } = options.endpoint;
  const isLocal = kind === "unix" || kind === "abstract";
  if (isLocal && hasDescriptors()) return;
  const reason = isLocal ? "Linux with /proc" : "a runtime on this machine: the endpoint must be a Unix socket";
  throw new CriError({
    code: "FAILED_PRECONDITION",
    message: `finding a container by a process needs ${reason}`,
    endpoint,
  });
}
