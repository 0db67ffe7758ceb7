import { toDate } from "../internal/time.js";
import type { CallOptions } from "../options.js";
import { ContainerState, type ContainerStatus } from "../proto.js";
import type { Core } from "./core.js";
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

/** Waits until a container has exited. */
export async function waitForExit(core: Core, id: string, options?: CallOptions): Promise<ContainerExit> {
  const ended = ({ state }: ContainerStatus) => state === ContainerState.CONTAINER_EXITED;
  return toExit(await waitFor(core, { kind: "container", id }, ended, options));
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
