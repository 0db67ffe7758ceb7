import { startBudget } from "../calls/budget.js";
import { checkId } from "../calls/checked.js";
import { containerStatus } from "../calls/containers.js";
import { CriError } from "../errors.js";
import { toDate } from "../internal/time.js";
import type { CallOptions } from "../options.js";
import { ContainerState, type ContainerStatus } from "../proto.js";
import type { Connection } from "../transport/connection.js";
import type { ExitWatch } from "./exit-watch.js";

/** How a container ended. */
export interface ContainerExit {
  /** The exit code; 128 + n for a process that signal n ended. */
  exitCode: number;
  /** The runtime's word for it, such as `Completed`, `Error`, `OOMKilled`. */
  reason: string;
  /** The runtime's explanation, often empty. */
  message: string;
  startedAt: Date | undefined;
  finishedAt: Date | undefined;
  /** The status that the rest was read from. */
  status: ContainerStatus;
}

/**
 * Waits until a container has exited. The container's status is the only judge; events, where the runtime has trustworthy
 * ones, say when to ask for it. A runtime that goes away meanwhile is waited for.
 */
export async function waitForExit(
  connection: Connection,
  exits: ExitWatch,
  id: string,
  options?: CallOptions,
): Promise<ContainerExit> {
  const budget = startBudget(connection, options, undefined);
  const waiter = exits.join(checkId(id, "container"));
  try {
    for (;;) {
      const status = await currentStatus(connection, id, budget.options());
      if (status?.state === ContainerState.CONTAINER_EXITED) return toExit(status);
      await waiter.nextLook(budget.leftMs() ?? Number.POSITIVE_INFINITY, options?.signal);
    }
  } finally {
    waiter.close();
  }
}

async function currentStatus(
  connection: Connection,
  id: string,
  options: CallOptions,
): Promise<ContainerStatus | undefined> {
  try {
    return (await containerStatus(connection, id, false, options)).status;
  } catch (error) {
    if (CriError.is(error, "UNAVAILABLE")) return undefined;
    throw error;
  }
}

function toExit(status: ContainerStatus): ContainerExit {
  const { exitCode, reason, message } = status;
  return {
    exitCode,
    reason,
    message,
    startedAt: toDate(status.startedAt),
    finishedAt: toDate(status.finishedAt),
    status,
  };
}
