import { pinDeadline } from "../calls/budget.js";
import { containerStatus, listContainers } from "../calls/containers.js";
import { CriError, InvalidInputError } from "../errors.js";
import { UndoStack } from "../internal/undo.js";
import { type CallOptions, undoTimeoutMs } from "../options.js";
import { type ContainerConfig, ContainerState, type PodSandboxConfig } from "../proto.js";
import { containerConfigFromInfo } from "../specs/container-from-info.js";
import { nextAttempt } from "../specs/next-attempt.js";
import { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { createFromConfig, podConfigOf } from "./create-container.js";
import { callOptionsOf, withSuppressed } from "./run-container.js";
import { type ContainerTarget, idOf } from "./target.js";

/** Options of a restart. */
export interface RestartOptions extends CallOptions {
  /** How long the running container has to end by itself before it is killed. @defaultValue as for `stop` */
  gracePeriodSeconds?: number | undefined;
  /** Keep the old, stopped container, with its log and its exit code, instead of removing it. @defaultValue false */
  keepOld?: boolean | undefined;
  /**
   * The container's configuration. A handle that created the container knows it, containerd tells it for others too; with CRI-O
   * it must be given for a container that this program did not create.
   */
  config?: ContainerConfig | undefined;
  /** The pod's configuration, as for creating a container. */
  podConfig?: PodSandboxConfig | undefined;
}

/**
 * Restarts a container as a kubelet does: stops it, creates another one from the same configuration with the next attempt
 * number, starts that, and removes the old one. If the new one does not come up it is removed and the old one stays, stopped.
 */
export async function restart(
  core: Core,
  target: ContainerTarget,
  options: RestartOptions = {},
): Promise<OwnedContainer> {
  const { gracePeriodSeconds, keepOld = false } = options;
  const { connection } = core;
  const callOptions = callOptionsOf(pinDeadline(options));
  const id = idOf(target, "container");
  const { status, info } = await containerStatus(connection, id, true, callOptions);
  const config = options.config ?? (target instanceof OwnedContainer ? target.config : containerConfigFromInfo(info));
  if (!config) {
    throw new InvalidInputError({
      field: "options.config",
      message: `is needed: the runtime does not tell how container ${status.id} was configured`,
    });
  }
  const podSandboxId =
    target instanceof OwnedContainer ? target.podSandboxId : await podOf(core, status.id, callOptions);
  const podConfig = await podConfigOf(core, podSandboxId, options.podConfig, callOptions);
  const owned = target instanceof OwnedContainer ? target : undefined;
  const old = owned ?? core.containers.get(status.id);
  const graceOption = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  if (status.state === ContainerState.CONTAINER_RUNNING) await old.stop({ ...callOptions, ...graceOption });

  const undo = new UndoStack();
  try {
    const next = nextAttempt({ ...config, metadata: status.metadata });
    const made = { config: next, terminationGracePeriodSeconds: owned?.terminationGracePeriodSeconds };
    const container = await createFromConfig(core, podSandboxId, podConfig, made, callOptions);
    undo.push(() => container.remove({ timeoutMs: undoTimeoutMs }));
    await container.start(callOptions);
    if (!keepOld) await old.remove(callOptions);
    return container;
  } catch (error) {
    throw withSuppressed(error, await undo.undo());
  }
}

async function podOf(core: Core, containerId: string, options: CallOptions): Promise<string> {
  const filter = { id: containerId, state: undefined, podSandboxId: "", labelSelector: {} };
  const [container] = await listContainers(core.connection, filter, options);
  if (container) return container.podSandboxId;
  throw new CriError({
    code: "NOT_FOUND",
    message: `container ${containerId} is gone`,
    endpoint: core.connection.endpoint,
  });
}
