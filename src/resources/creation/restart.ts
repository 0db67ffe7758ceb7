import { CriError, InvalidInputError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { type ContainerConfig, ContainerState, type ContainerStatus, type PodSandboxConfig } from "../../proto.js";
import { callOptionsOf, pinDeadline } from "../../rpcs/budget.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { type ContainerDraft, type ConvertedContainer, readContainerSpec } from "../../specs/container-config.js";
import { containerConfigFromInfo } from "../../specs/container-from-info.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import type { ImageInput } from "../../specs/image-ref.js";
import { nextAttempt } from "../../specs/next-attempt.js";
import { log } from "../../transport/logging.js";
import { type Container, OwnedContainer } from "../container.js";
import type { Core } from "../core.js";
import { annotatedGracePeriod } from "../grace-period.js";
import { type ContainerTarget, idOf } from "../target.js";
import { type CreateContainerOptions, checkPodConfig, createFromConfig, podConfigOf } from "./create-container.js";
import { withRollback } from "./rollback.js";
import { rollbackCreation } from "./rollback-creation.js";

/** Options of a restart. */
export interface RestartOptions extends CallOptions {
  /** How long the running container has to end by itself before it is killed. @defaultValue as for `stop` */
  gracePeriodSeconds?: number | undefined;
  /** Keep the old, stopped container, with its log and its exit code, instead of removing it. @defaultValue false */
  keepOld?: boolean | undefined;
  /**
   * The container's configuration, or {@link spec}. Needed only for a container that another process created, on a runtime that does
   * not report its configuration (CRI-O, Docker).
   *
   * @defaultValue that of the owning handle, else what the runtime reports
   */
  config?: ContainerConfig | undefined;
  /** What to create the next attempt from instead of {@link config}. Its `name` and `attempt` are those of the container. */
  spec?: ContainerSpec | undefined;
  /** When to pull the image of {@link spec}. @defaultValue "missing" */
  pullPolicy?: CreateContainerOptions["pullPolicy"];
  /** Credentials for that pull. */
  auth?: CreateContainerOptions["auth"];
  /** The pod's configuration, as for creating a container: see {@link CreateContainerOptions.podConfig}. */
  podConfig?: CreateContainerOptions["podConfig"];
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
  const { gracePeriodSeconds, keepOld = false, spec } = options;
  const { connection } = core;
  const callOptions = callOptionsOf(pinDeadline(options));
  checkPodConfig(options.podConfig);
  const draft = spec && readContainerSpec(spec);
  const id = idOf(target, "container");
  const owned = target instanceof OwnedContainer ? target : undefined;
  const { status, info } = await containerStatus(connection, id, true, callOptions);
  const ownSeconds = owned?.terminationGracePeriodSeconds ?? annotatedGracePeriod(status.annotations);
  const imageOptions = { ...callOptions, pullPolicy: options.pullPolicy, auth: options.auth };
  const convert = draft
    ? (podConfig: PodSandboxConfig) =>
        fromSpec(core, draft, spec.image, { status, podConfig, ownSeconds }, imageOptions)
    : knownConfig(options.config ?? owned?.config ?? reportedConfig(status.id, info), ownSeconds);
  if (!convert) throw unknownConfig(status);
  const podSandboxId = owned?.podSandboxId ?? (await podOf(core, status.id, callOptions));
  const podConfig = await podConfigOf(core, podSandboxId, options.podConfig ?? owned?.podConfig, callOptions);
  const { config, terminationGracePeriodSeconds } = await convert(podConfig);
  const old = owned ?? core.containers.get(status.id);
  if (status.state === ContainerState.CONTAINER_RUNNING) {
    await old.stop({ ...callOptions, gracePeriodSeconds: gracePeriodSeconds ?? ownSeconds });
  }

  const next = await withRollback(core, async (rollback) => {
    const container = await createFromConfig(
      core,
      {
        podSandboxId,
        podConfig,
        config: nextAttempt({ ...config, metadata: status.metadata }),
        terminationGracePeriodSeconds,
        logFolder: owned?.logFolder,
      },
      callOptions,
    );
    rollback.push(rollbackCreation(core, container, callOptions));
    await container.start(callOptions);
    return container;
  });
  if (!keepOld) await removeOld(core, old, callOptions);
  return next;
}

/** The container that a new one replaces. */
interface Replaced {
  status: ContainerStatus;
  podConfig: PodSandboxConfig;
  /** Its grace period. */
  ownSeconds: number | undefined;
}

function knownConfig(
  config: ContainerConfig | undefined,
  terminationGracePeriodSeconds: number | undefined,
): (() => ConvertedContainer) | undefined {
  if (!config) return undefined;
  return () => ({ config, terminationGracePeriodSeconds });
}

/** The configuration from a spec, with the identity of the container that it replaces, and its grace period if the spec has none. */
async function fromSpec(
  core: Core,
  draft: ContainerDraft,
  imageInput: ImageInput,
  { status, podConfig, ownSeconds }: Replaced,
  options: Pick<CreateContainerOptions, "pullPolicy" | "auth"> & CallOptions,
): Promise<ConvertedContainer> {
  const { id: image } = await core.images.ensure(imageInput, { ...options, podConfig });
  const { metadata } = status;
  return draft.complete({ pod: podConfig, image, metadata, terminationGracePeriodSeconds: ownSeconds });
}

/**
 * The configuration that the runtime reports. It reports the environment as text: bytes that are not UTF-8 are lost, and the next
 * attempt would silently get other values.
 */
function reportedConfig(id: string, info: Readonly<Record<string, string>>): ContainerConfig | undefined {
  const config = containerConfigFromInfo(info);
  const lossy = config?.envs.find(({ value }) => Buffer.from(value).includes("\ufffd"));
  if (lossy === undefined) return config;
  throw new InvalidInputError({
    field: "options.config",
    message: `is needed, or options.spec: the runtime reports variable ${lossy.key} of container ${id} with U+FFFD, which replaces bytes that are not UTF-8`,
  });
}

function unknownConfig({ id }: ContainerStatus): InvalidInputError {
  return new InvalidInputError({
    field: "options.spec",
    message:
      `is required: the runtime does not report how container ${id} was configured; pass the ContainerSpec for its next attempt, ` +
      "or its ContainerConfig as options.config, or restart it by the handle that created it",
  });
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
