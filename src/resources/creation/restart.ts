import { CriError, InvalidInputError } from "../../errors.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../../input/call-options.js";
import type { CallOptions } from "../../options.js";
import { type ContainerConfig, ContainerState, type ContainerStatus, type PodSandboxConfig } from "../../proto.js";
import { callOptionsOf, pinDeadline, startBudget } from "../../rpcs/budget.js";
import { containerStatus, listContainers } from "../../rpcs/containers.js";
import { type ContainerDraft, type ConvertedContainer, readContainerSpec } from "../../specs/container-config.js";
import { containerConfigFromInfo } from "../../specs/container-from-info.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import type { ImageInput } from "../../specs/image-ref.js";
import { nextAttempt } from "../../specs/next-attempt.js";
import { asWorkflow } from "../../tracing/workflow.js";
import type { Connection } from "../../transport/connection.js";
import { log } from "../../transport/logging.js";
import { ensureImage } from "../ensure-image.js";
import { annotatedGracePeriod, optionalSeconds } from "../grace-period.js";
import type { LogFolder } from "../log-folder.js";
import { removeContainer, stopContainer } from "../stopping.js";
import { type CreateContainerOptions, createFromConfig } from "./create-container.js";
import type { MadeContainer } from "./made.js";
import { checkPodConfig, podConfigOf } from "./pod-config.js";
import { rollBackCreation, withRollback } from "./rollback.js";
import { startReconciled } from "./start.js";

/** Options of a restart. */
export interface RestartOptions extends CallOptions {
  /** How long the running container has to end before the runtime kills it, in seconds. @defaultValue as for `stop` */
  gracePeriodSeconds?: number | undefined;
  /** Keeps the old, stopped container, with its log and its exit code, instead of removing it. @defaultValue false */
  keepOld?: boolean | undefined;
  /**
   * The container's configuration. This or {@link spec} is required only for a container that another process created, on a runtime
   * that does not report the configuration (CRI-O, Docker).
   *
   * @defaultValue the configuration of the owning handle, else the one that the runtime reports
   */
  config?: ContainerConfig | undefined;
  /**
   * The spec of the next attempt, instead of {@link config}. Its `name` and `attempt` are ignored: the new container has the old
   * name and the next attempt number.
   */
  spec?: ContainerSpec | undefined;
  /** When to pull the image of {@link spec}. @defaultValue "missing" */
  pullPolicy?: CreateContainerOptions["pullPolicy"];
  /** Credentials for that pull. */
  auth?: CreateContainerOptions["auth"];
  /** The pod's configuration: see {@link CreateContainerOptions.podConfig}. */
  podConfig?: CreateContainerOptions["podConfig"];
}

const restartFields: FieldsOf<RestartOptions> = {
  gracePeriodSeconds: true,
  keepOld: true,
  config: true,
  spec: true,
  pullPolicy: true,
  auth: true,
  podConfig: true,
  ...callOptionFields,
};

/** The container to restart. The handle that created it also has its configuration. */
export type RestartTarget = { readonly id: string } & Partial<Readonly<MadeContainer>>;

/**
 * Restarts a container as a kubelet does: stops it, creates a new one from the same configuration with the next attempt number,
 * starts the new one, and removes the old one. If the new container does not start, it is removed, and the old one remains,
 * stopped. If only the removal of the old one fails, the failure is logged.
 */
export const restart = asWorkflow(
  { name: "container.restart", subject: ([, target]) => ({ containerId: target.id }) },
  replace,
);

async function replace(
  connection: Connection,
  target: RestartTarget,
  options: RestartOptions = {},
): Promise<MadeContainer> {
  checkOptions(options, restartFields);
  const { gracePeriodSeconds, keepOld = false, spec } = options;
  const callOptions = callOptionsOf(pinDeadline(options));
  checkPodConfig(options.podConfig);
  const draft = spec && readContainerSpec(spec);
  const givenSeconds = optionalSeconds(gracePeriodSeconds, "gracePeriodSeconds");
  const { status, info } = await containerStatus(connection, target.id, true, callOptions);
  const { id } = status;
  const ownSeconds = target.terminationGracePeriodSeconds ?? annotatedGracePeriod(status.annotations);
  const imageOptions = { ...callOptions, pullPolicy: options.pullPolicy, auth: options.auth };
  const convert = draft
    ? (podConfig: PodSandboxConfig) =>
        fromSpec(connection, draft, spec.image, { status, podConfig, ownSeconds }, imageOptions)
    : knownConfig(options.config ?? target.config ?? reportedConfig(id, info), ownSeconds);
  if (!convert) throw unknownConfig(status);
  const podSandboxId = target.podSandboxId ?? (await podOf(connection, id, callOptions));
  const podConfigs = { given: options.podConfig, known: target.podConfig };
  const podConfig = await podConfigOf(connection, podSandboxId, podConfigs, callOptions);
  const { config, terminationGracePeriodSeconds } = await convert(podConfig);
  if (status.state === ContainerState.CONTAINER_RUNNING) {
    await stopContainer(connection, id, givenSeconds ?? ownSeconds, startBudget(connection, callOptions, undefined));
  }

  const next = await withRollback(connection, async (rollback) => {
    const request = {
      podSandboxId,
      podConfig,
      config: nextAttempt({ ...config, metadata: status.metadata }),
      terminationGracePeriodSeconds,
      logFolder: target.logFolder,
    };
    const made = await createFromConfig(connection, request, callOptions);
    rollback.push(() => rollBackCreation(connection, made, callOptions));
    await startReconciled(connection, made.id, startBudget(connection, callOptions, 1));
    return made;
  });
  if (!keepOld) await removeOld(connection, id, target.logFolder, callOptions);
  return next;
}

/** The old container, which the new one replaces. */
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

/** Converts a spec. The result has the identity of the replaced container, and its grace period if the spec sets none. */
async function fromSpec(
  connection: Connection,
  draft: ContainerDraft,
  imageInput: ImageInput,
  { status, podConfig, ownSeconds }: Replaced,
  options: Pick<CreateContainerOptions, "pullPolicy" | "auth"> & CallOptions,
): Promise<ConvertedContainer> {
  const { id: image } = await ensureImage(connection, imageInput, { ...options, podConfig });
  const { metadata } = status;
  return draft.complete({ pod: podConfig, image, metadata, terminationGracePeriodSeconds: ownSeconds });
}

/**
 * Returns the configuration that the runtime reports.
 *
 * @throws InvalidInputError if a value in the environment was not UTF-8: the runtime reports it as a string and loses bytes, so
 *   the next attempt would silently get another value
 */
function reportedConfig(id: string, info: Readonly<Record<string, string>>): ContainerConfig | undefined {
  const config = containerConfigFromInfo(info);
  const lossy = config?.envs.find(({ value }) => Buffer.from(value).includes("\ufffd"));
  if (lossy === undefined) return config;
  throw new InvalidInputError({
    field: "options.config",
    message:
      `is needed, or options.spec: the runtime reports variable ${lossy.key} of container ${id} with U+FFFD, ` +
      "which replaces bytes that are not UTF-8",
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

/** Removes the old container. A failure is only logged: the new container runs, and its handle must not be lost. */
async function removeOld(
  connection: Connection,
  id: string,
  logFolder: LogFolder | undefined,
  options: CallOptions,
): Promise<void> {
  try {
    await removeContainer(connection, id, 0, startBudget(connection, options, undefined));
    await logFolder?.removeIfEmpty();
  } catch (error) {
    const { endpoint, options: settings } = connection;
    const fields = { endpoint, containerId: id, error: String(error) };
    log(settings.logger, "warn", "a restarted container could not be removed", fields);
  }
}

async function podOf(connection: Connection, containerId: string, options: CallOptions): Promise<string> {
  const filter = { id: containerId, state: undefined, podSandboxId: "", labelSelector: {} };
  const [container] = await listContainers(connection, filter, options);
  if (container) return container.podSandboxId;
  const message = `container ${containerId} no longer exists`;
  throw new CriError({ code: "NOT_FOUND", message, endpoint: connection.endpoint });
}
