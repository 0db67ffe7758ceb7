import { InvalidInputError } from "../../errors.js";
import type { CallOptions } from "../../options.js";
import { ContainerConfig, ContainerState, type PodSandboxConfig } from "../../proto.js";
import { pinDeadline, startBudget } from "../../rpcs/budget.js";
import * as rpcs from "../../rpcs/containers.js";
import { canNeverStart } from "../../rpcs/error-messages/busy.js";
import { podSandboxStatus } from "../../rpcs/pods.js";
import { isCriO, isDocker, mayAnswerWithOlder } from "../../rpcs/runtime.js";
import { invalid } from "../../specs/check.js";
import { readContainerSpec } from "../../specs/container-config.js";
import type { ContainerSpec } from "../../specs/container-spec.js";
import { podConfigFromStatus } from "../../specs/pod-from-status.js";
import type { RegistryAuth } from "../../specs/registry-auth.js";
import { OwnedContainer } from "../container.js";
import type { Core } from "../core.js";
import { annotateGracePeriod } from "../grace-period.js";
import type { PullPolicy } from "../images.js";
import { createLogFolder, type LogFolder } from "../log-folder.js";
import { OwnedPodSandbox } from "../pod.js";
import { removeContainer } from "../stopping.js";
import { idOf, type PodTarget } from "../target.js";
import { markCreation, readMark } from "./creation-mark.js";
import { createReconciled } from "./reconcile.js";

/**
 * Options of the workflows that create a container. `timeoutMs` and `deadline` bound all their steps together. Without them each
 * step has the default budget of its RPC, and a pull none.
 */
export interface CreateContainerOptions extends CallOptions {
  /** When to pull the image. @defaultValue "missing" */
  pullPolicy?: PullPolicy | undefined;
  /** Credentials for the pull. */
  auth?: RegistryAuth | undefined;
  /**
   * The pod's configuration, which CreateContainer must repeat: it decides about user, namespaces, DNS and logs of the container.
   * Needed only for a pod that another program created, on a runtime that does not report it (CRI-O, Docker): there, the creation is
   * refused without it. `"unknown"` accepts a container without the pod's settings, which may run as root although the pod says
   * otherwise.
   *
   * @defaultValue that of the owning handle, else what the runtime reports, else what this package keeps in the pod's annotations
   */
  podConfig?: PodSandboxConfig | "unknown" | undefined;
  /**
   * Take over a container of this name and attempt that something else made from the same configuration, if it has not been
   * started yet. The handle then owns it: see `adopted` there.
   *
   * @defaultValue false: `NameReservedError`
   */
  adopt?: boolean | undefined;
}

/**
 * The pod's configuration that CreateContainer must repeat.
 *
 * @throws InvalidInputError if the pod's settings are needed and cannot be known
 */
export async function podConfigOf(
  core: Core,
  pod: PodTarget,
  given: CreateContainerOptions["podConfig"],
  options: CallOptions,
): Promise<PodSandboxConfig> {
  if (given !== undefined && given !== "unknown") return given;
  if (pod instanceof OwnedPodSandbox) return pod.config;
  const { status, info } = await podSandboxStatus(core.connection, idOf(pod, "pod"), true, options);
  const { config, gap } = podConfigFromStatus(status, info);
  if (gap === undefined || given === "unknown") return config;
  throw new InvalidInputError({
    field: "options.podConfig",
    message:
      `is required: the configuration of pod ${status.id} is not known, because ${gap}; pass the PodSandboxConfig that the pod was ` +
      'created with, or "unknown" to create the container without the settings of the pod, such as its user: it may then run as root',
  });
}

/** Refuses a pod configuration that CreateContainer cannot be sent with: containerd crashes without one. */
export function checkPodConfig(given: CreateContainerOptions["podConfig"]): void {
  if (given === undefined || given === "unknown") return;
  if (typeof given === "object" && given?.metadata) return;
  invalid("options.podConfig", 'must be a PodSandboxConfig with metadata, or "unknown"', given);
}

/** Image by the pull policy, then CreateContainer. A pulled image stays on the node whatever happens afterwards. */
export async function createContainer(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: CreateContainerOptions = {},
): Promise<OwnedContainer> {
  const { pullPolicy, auth, podConfig: given, adopt, ...callOptions } = pinDeadline(options);
  const podSandboxId = idOf(pod, "pod");
  checkPodConfig(given);
  // A bad spec must fail before anything is sent.
  const draft = readContainerSpec(spec);
  const podConfig = await podConfigOf(core, pod, given, callOptions);
  const image = await core.images.ensure(spec.image, { ...callOptions, pullPolicy, auth, podConfig });
  const { config, terminationGracePeriodSeconds } = draft.complete({
    pod: podConfig,
    image: image.id,
    terminationGracePeriodSeconds: pod instanceof OwnedPodSandbox ? pod.terminationGracePeriodSeconds : undefined,
  });
  return createFromConfig(core, { podSandboxId, podConfig, config, terminationGracePeriodSeconds, adopt }, callOptions);
}

/** What CreateContainer is made of. */
export interface ContainerMaking {
  podSandboxId: string;
  podConfig: PodSandboxConfig;
  config: ContainerConfig;
  terminationGracePeriodSeconds: number | undefined;
  adopt?: boolean | undefined;
  /** The folders that were created for the log of the attempt before, if this one goes on in them. */
  logFolder?: LogFolder | undefined;
}

/** CreateContainer, repeated only after a look at what exists. */
export async function createFromConfig(
  core: Core,
  making: ContainerMaking,
  options: CallOptions,
): Promise<OwnedContainer> {
  const { connection } = core;
  const { podSandboxId, podConfig, adopt = false } = making;
  const notes = annotateGracePeriod(making.terminationGracePeriodSeconds);
  const { config, mark } = markCreation(ContainerConfig, making.config, notes);
  const { name = "", attempt = 0 } = config.metadata ?? {};
  let logFolder: LogFolder | undefined;
  const { id, adopted } = await createReconciled({
    what: `container ${name} (attempt ${attempt}) in pod ${podSandboxId}`,
    mark,
    adopt,
    budget: startBudget(connection, options, 1),
    mayBeOlder: (o) => mayAnswerWithOlder(connection, o),
    mayReplace: (o) => isDocker(connection, o),
    mayStall: (o) => isCriO(connection, o),
    mayDuplicate: (o) => isDocker(connection, o),
    create: async (o) => {
      logFolder ??= await createLogFolder(connection, podConfig, config);
      return rpcs.createContainer(connection, podSandboxId, config, podConfig, o);
    },
    find: async (given) => {
      const o = pinDeadline(given);
      const filter = { id: "", state: undefined, podSandboxId, labelSelector: {} };
      const all = await rpcs.listContainers(connection, filter, o);
      const found = all.find(({ metadata }) => metadata?.name === name && metadata.attempt === attempt);
      if (!found) return undefined;
      const created = found.state === ContainerState.CONTAINER_CREATED;
      const { info } = created ? await rpcs.containerStatus(connection, found.id, true, o) : { info: {} };
      return {
        id: found.id,
        mark: readMark(found),
        fresh: created && !canNeverStart(info),
        state: ContainerState[found.state] ?? String(found.state),
      };
    },
    remove: (containerId, o) => removeContainer(connection, containerId, 0, startBudget(connection, o, 1)),
  }).catch(async (error: unknown) => {
    await logFolder?.removeIfEmpty();
    throw error;
  });
  return new OwnedContainer(core, id, { ...making, config, adopted, logFolder: logFolder ?? making.logFolder });
}
