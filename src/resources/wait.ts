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
  /** When the process was started; undefined if it never was. */
  startedAt: Date | undefined;
  /** When the process ended, by the runtime's clock. */
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
  const look = async () => (await containerStatus(connection, id, false, budget.options())).status;
  const waiter = exits.join(checkId(id, "container"));
  try {
    // A runtime that does not even answer the first time is not one that went away.
    let status: ContainerStatus | undefined = await look();
    for (;;) {
      if (status?.state === ContainerState.CONTAINER_EXITED) return toExit(status);
      await waiter.nextLook(budget);
      status = await look().catch(absentRuntime);
    }
  } finally {
    waiter.close();
  }
}

function absentRuntime(error: unknown): undefined {
  if (!CriError.is(error, "UNAVAILABLE")) throw error;
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
