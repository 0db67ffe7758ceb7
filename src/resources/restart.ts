import { callOptionsOf, pinDeadline } from "../calls/budget.js";
import { containerStatus, listContainers } from "../calls/containers.js";
import { CriError, InvalidInputError } from "../errors.js";
import type { CallOptions } from "../options.js";
import { type ContainerConfig, ContainerState, type PodSandboxConfig } from "../proto.js";
import { containerConfigFromInfo } from "../specs/container-from-info.js";
import { nextAttempt } from "../specs/next-attempt.js";
import { log } from "../transport/logging.js";
import { type Container, OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { createFromConfig, podConfigOf } from "./create-container.js";
import { annotatedGracePeriod } from "./grace-period.js";
import { type ContainerTarget, idOf } from "./target.js";
import { undoCreation } from "./undo-creation.js";
import { undoing } from "./undoing.js";

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
 * number, starts that, and removes the old one. If the new one does not come up it is removed and the old one stays, stopped. If
 * only the old one cannot be removed, the logger hears of it.
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
  const owned = target instanceof OwnedContainer ? target : undefined;
  const { status, info } = await containerStatus(connection, id, true, callOptions);
  const config = options.config ?? owned?.config ?? containerConfigFromInfo(info);
  if (!config) {
    throw new InvalidInputError({
      field: "options.config",
      message: `is needed: the runtime does not tell how container ${status.id} was configured`,
    });
  }
  const podSandboxId = owned?.podSandboxId ?? (await podOf(core, status.id, callOptions));
  const podConfig = await podConfigOf(core, podSandboxId, options.podConfig ?? owned?.podConfig, callOptions);
  const old = owned ?? core.containers.get(status.id);
  if (status.state === ContainerState.CONTAINER_RUNNING) await old.stop({ ...callOptions, gracePeriodSeconds });

  const next = await undoing(core, async (undo) => {
    const container = await createFromConfig(
      core,
      {
        podSandboxId,
        podConfig,
        config: nextAttempt({ ...config, metadata: status.metadata }),
        terminationGracePeriodSeconds: owned?.terminationGracePeriodSeconds ?? annotatedGracePeriod(config.annotations),
      },
      callOptions,
    );
    undo.push(undoCreation(core, container, callOptions));
    await container.start(callOptions);
    return container;
  });
  if (!keepOld) await removeOld(core, old, callOptions);
  return next;
}

/** The new container is up: that the old one stays is no reason to fail, or to lose the handle of the new one. */
async function removeOld(core: Core, old: Container, options: CallOptions): Promise<void> {
  try {
    await old.remove(options);
  } catch (error) {
    const { endpoint, options: settings } = core.connection;
    const fields = { endpoint, containerId: old.id, error: String(error) };
    log(settings.logger, "warn", "a restarted container could not be removed", fields);
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
