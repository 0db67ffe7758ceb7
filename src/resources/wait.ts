import { CriError } from "../errors.js";
import { toDate } from "../internal/time.js";
import { type CallOptions, defaultRelistMs } from "../options.js";
import { ContainerState, type ContainerStatus } from "../proto.js";
import type { ClientContext } from "./context.js";
import { waitFor } from "./watching/wait-for.js";

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
 * Waits until a container has exited.
 *
 * A runtime that has lost a container reports CONTAINER_UNKNOWN, and containerd does so until somebody stops the container. Waiting
 * ends with an error once the state has been reported for half of {@link WatchSettings.relistMs}.
 */
export async function waitForExit(context: ClientContext, id: string, options?: CallOptions): Promise<ContainerExit> {
  const { endpoint, options: settings } = context.connection;
  const patienceMs = (settings.watch?.relistMs ?? defaultRelistMs) / 2;
  let unknownSince: number | undefined;
  const ended = ({ state }: ContainerStatus) => {
    if (state === ContainerState.CONTAINER_EXITED) return true;
    if (state !== ContainerState.CONTAINER_UNKNOWN) unknownSince = undefined;
    else {
      unknownSince ??= performance.now();
      if (performance.now() - unknownSince > patienceMs) throw lostTrack(id, endpoint);
    }
    return false;
  };
  return toExit(await waitFor(context, { kind: "container", id }, ended, options));
}

function lostTrack(id: string, endpoint: string): CriError {
  return new CriError({
    code: "FAILED_PRECONDITION",
    message:
      `container ${id} is in the state CONTAINER_UNKNOWN: the runtime does not know whether its process runs; ` +
      "stop() ends it, and wait() then resolves",
    method: "RuntimeService/ContainerStatus",
    endpoint,
  });
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
