import { pinDeadline, startBudget } from "../calls/budget.js";
import * as calls from "../calls/containers.js";
import { podSandboxStatus } from "../calls/pods.js";
import { isStillborn } from "../calls/runtime-text.js";
import { toDate } from "../internal/time.js";
import type { CallOptions } from "../options.js";
import { ContainerConfig, ContainerState, type PodSandboxConfig } from "../proto.js";
import { toContainerConfig } from "../specs/container-config.js";
import type { ContainerSpec } from "../specs/container-spec.js";
import { podConfigFromStatus } from "../specs/pod-from-status.js";
import type { RegistryAuth } from "../specs/registry-auth.js";
import { hasSameConfig, withConfigHash } from "./config-hash.js";
import { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import type { PullPolicy } from "./images.js";
import { OwnedPodSandbox } from "./pod.js";
import { createReconciled } from "./reconcile.js";
import { idOf, type PodTarget } from "./target.js";

/** Options of the workflows that create a container. Their default budget, pulling aside, is that of CreateContainer: two minutes. */
export interface CreateContainerOptions extends CallOptions {
  /** When to pull the image. @defaultValue "missing" */
  pullPolicy?: PullPolicy | undefined;
  /** Credentials for the pull. */
  auth?: RegistryAuth | undefined;
  /**
   * The pod's configuration, which CreateContainer must repeat. A handle from `pods.run` brings its own; for other pods it is
   * read back from the runtime, completely on containerd, and without log directory, DNS and cgroup parent on CRI-O.
   */
  podConfig?: PodSandboxConfig | undefined;
}

/** Everything that CreateContainer needs to know about the pod. */
export async function podConfigOf(
  core: Core,
  pod: PodTarget,
  given: PodSandboxConfig | undefined,
  options: CallOptions,
): Promise<PodSandboxConfig> {
  if (given) return given;
  if (pod instanceof OwnedPodSandbox) return pod.config;
  const { status, info } = await podSandboxStatus(core.connection, idOf(pod, "pod"), true, options);
  return podConfigFromStatus(status, info);
}

/** CreateContainer for a spec whose image is on the node already. */
export async function createFromSpec(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: Omit<CreateContainerOptions, "pullPolicy" | "auth"> = {},
  image?: string,
): Promise<OwnedContainer> {
  const { podConfig: given, ...callOptions } = pinDeadline(options);
  // A bad spec must fail before anything is sent.
  toContainerConfig(spec);
  const podConfig = await podConfigOf(core, pod, given, callOptions);
  const converted = toContainerConfig(spec, {
    pod: podConfig,
    image,
    terminationGracePeriodSeconds: pod instanceof OwnedPodSandbox ? pod.terminationGracePeriodSeconds : undefined,
  });
  return createFromConfig(core, idOf(pod, "pod"), podConfig, converted, callOptions);
}

/** CreateContainer, repeated only after a look at what exists. */
export async function createFromConfig(
  core: Core,
  podSandboxId: string,
  podConfig: PodSandboxConfig,
  converted: { config: ContainerConfig; terminationGracePeriodSeconds: number | undefined },
  options: CallOptions,
): Promise<OwnedContainer> {
  const { connection } = core;
  const { terminationGracePeriodSeconds } = converted;
  const config = withConfigHash(ContainerConfig, converted.config);
  const { name, attempt } = config.metadata!;
  const { id, adopted } = await createReconciled({
    what: `container ${name} (attempt ${attempt}) in pod ${podSandboxId}`,
    budget: startBudget(connection, options, 1),
    create: (o) => calls.createContainer(connection, podSandboxId, config, podConfig, o),
    find: async (o) => {
      const all = await calls.listContainers(
        connection,
        { id: "", state: undefined, podSandboxId, labelSelector: {} },
        o,
      );
      const found = all.find(({ metadata }) => metadata?.name === name && metadata.attempt === attempt);
      if (!found) return undefined;
      const sameConfig = hasSameConfig(found, config);
      const fresh = found.state === ContainerState.CONTAINER_CREATED;
      return {
        id: found.id,
        createdAt: toDate(found.createdAt),
        sameConfig,
        fresh,
        broken: sameConfig && fresh && isStillborn((await calls.containerStatus(connection, found.id, true, o)).info),
        state: ContainerState[found.state] ?? String(found.state),
      };
    },
    remove: (containerId, o) => calls.removeContainer(connection, containerId, o),
  });
  return new OwnedContainer(core, id, { podSandboxId, config, terminationGracePeriodSeconds, adopted });
}

/** Image by the pull policy, then CreateContainer. A pulled image stays on the node whatever happens afterwards. */
export async function createWithImage(
  core: Core,
  pod: PodTarget,
  spec: ContainerSpec,
  options: CreateContainerOptions = {},
): Promise<OwnedContainer> {
  const { pullPolicy, auth, podConfig: given, ...callOptions } = pinDeadline(options);
  // A bad spec must fail before anything is pulled.
  toContainerConfig(spec);
  const podConfig = await podConfigOf(core, pod, given, callOptions);
  const image = await core.images.ensure(spec.image, { ...callOptions, policy: pullPolicy, auth, podConfig });
  return createFromSpec(core, pod, spec, { ...callOptions, podConfig }, image.id);
}
