import { CriError } from "../errors.js";
import { toDate } from "../internal/time.js";
import { type CallOptions, defaultRelistMs } from "../options.js";
import { ContainerState, type ContainerStatus } from "../proto.js";
import type { ClientContext } from "./context.js";
import { waitFor } from "./watching/wait-for.js";

/** The exit of a container. */
export interface ContainerExit {
  /** The exit code; 128 + n if signal n ended the process. */
  exitCode: number;
  /** The runtime's reason, for example `Completed`, `Error`, `OOMKilled`. */
  reason: string;
  /** The runtime's explanation, often empty. */
  message: string;
  /** When the process was started, by the runtime's clock; `undefined` if it never was. */
  startedAt: Date | undefined;
  /** When the process exited, by the runtime's clock. */
  finishedAt: Date | undefined;
  /** The status that contains these values. */
  status: ContainerStatus;
}

/**
 * Waits until a container has exited.
 *
 * A runtime reports CONTAINER_UNKNOWN if it does not know whether the container's process runs; containerd does so until the
 * container is stopped. The wait fails with FAILED_PRECONDITION once this state has lasted for half of
 * {@link WatchSettings.relistMs}.
 */
export async function waitForExit(context: ClientContext, id: string, options?: CallOptions): Promise<ContainerExit> {
  const { endpoint, options: settings } = context.connection;
  const maxUnknownMs = (settings.watch?.relistMs ?? defaultRelistMs) / 2;
  let unknownSince: number | undefined;
  const hasExited = ({ state }: ContainerStatus) => {
    if (state === ContainerState.CONTAINER_EXITED) return true;
    if (state !== ContainerState.CONTAINER_UNKNOWN) unknownSince = undefined;
    else {
      unknownSince ??= performance.now();
      if (performance.now() - unknownSince > maxUnknownMs) throw unknownStateError(id, endpoint);
    }
    return false;
  };
  return toExit(await waitFor(context, { kind: "container", id }, hasExited, options));
}

function unknownStateError(id: string, endpoint: string): CriError {
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
