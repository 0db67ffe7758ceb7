import type { ServerError } from "nice-grpc-common";
import { messageToGoJson } from "../../json/go-json.js";
import { ContainerConfig, ContainerState, LinuxContainerResources, PodSandboxState } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import { creationRefusal } from "../refusals/container-refusals.js";
import { updateRefusal } from "../refusals/start-refusals.js";
import { type ContainerRecord, lacksLogDirectory, logPathOf } from "../state/containers.js";
import type { ImageRecord } from "../state/images.js";
import { containerName, nameParseError } from "../state/names.js";
import type { PodRecord } from "../state/pods.js";
import { duringCreation } from "./during-creation.js";

type ContainerRpc =
  | "CreateContainer"
  | "StartContainer"
  | "StopContainer"
  | "RemoveContainer"
  | "ListContainers"
  | "ContainerStatus"
  | "UpdateContainerResources"
  | "ReopenContainerLog";

/** Handles the container RPCs. */
export function containerService(lifecycle: Lifecycle): HandlersOf<ContainerRpc> {
  const { state, flavor } = lifecycle;
  return {
    async CreateContainer({ podSandboxId, config, sandboxConfig }, context) {
      const pod = state.pods.get(podSandboxId, "CreateContainer");
      if (!config?.metadata) throw rpcError("UNKNOWN", "container config must include metadata");
      if (!sandboxConfig) throw withoutSandboxConfig(config.metadata.name, flavor);
      const { metadata } = config;
      const id = state.ids.next();
      const name = containerName(metadata, pod.metadata, flavor);
      checkCreatable(pod, config, lifecycle);
      const containerId = await state.containerNames.create(name, id, context.signal, async () => {
        const image = resolveImage(config, lifecycle);
        await duringCreation(context, flavor);
        // The sandbox may have been removed in the meantime.
        if (!state.pods.has(pod)) throw flavor.errors.missing("CreateContainer", podSandboxId);
        const podLogDirectory = flavor.logDirectoryOf === "requestElsePod" ? pod.config.logDirectory : "";
        const logDirectory = sandboxConfig.logDirectory || podLogDirectory || lifecycle.ownLogDirectory(pod);
        const identity = { id, name, pod, metadata, config, image, logDirectory };
        const container = newContainer(identity, state.clock.now(), flavor);
        const refusal = creationRefusal(container, lifecycle);
        if (refusal) throw refusal;
        if (lifecycle.strict && flavor.missingLogDirectory === "failsCreate" && lacksLogDirectory(container, false)) {
          throw rpcError("UNKNOWN", "exit status 1");
        }
        if (flavor.checksProgram === "create") await lifecycle.prepare(container);
        state.containers.add(container);
        lifecycle.announceCreated(container);
      });
      return { containerId };
    },

    async StartContainer({ containerId }) {
      await lifecycle.startContainer(state.containers.get(containerId, "StartContainer"));
      return {};
    },

    async StopContainer({ containerId, timeout }, { signal }) {
      const container = state.containers.findToStopOrRemove(containerId, "StopContainer");
      if (container) await lifecycle.stopContainer(container, timeout.toNumber() * 1_000, signal);
      return {};
    },

    async RemoveContainer({ containerId }, context) {
      const container = state.containers.findToStopOrRemove(containerId, "RemoveContainer");
      if (container) await lifecycle.removeContainer(container, context);
      return {};
    },

    ListContainers({ filter }) {
      if (filter?.state?.state === ContainerState.CONTAINER_UNKNOWN && !flavor.listsUnknown) {
        throw rpcError("UNKNOWN", "Error response from daemon: invalid filter 'status=unknown'");
      }
      const found = state.containers.list(filter, (id) => state.pods.complete(id));
      return { containers: found.map((container) => state.containers.toContainer(container)) };
    },

    ContainerStatus({ containerId, verbose }) {
      const container = state.containers.get(containerId, "ContainerStatus");
      const parseError = nameParseError("container", container.name, flavor);
      if (parseError !== undefined) throw rpcError("UNKNOWN", parseError);
      return { status: state.containers.toStatus(container), info: verbose ? verboseInfo(container, lifecycle) : {} };
    },

    UpdateContainerResources({ containerId, linux, windows, annotations }) {
      const container = state.containers.get(containerId, "UpdateContainerResources");
      const isRunning = container.state === ContainerState.CONTAINER_RUNNING;
      if (flavor.family === "cri-o" && container.state === ContainerState.CONTAINER_EXITED) {
        throw rpcError("UNKNOWN", `container ${container.id} is not running or created state: stopped`);
      }
      const refusal = lifecycle.strict && isRunning && linux ? updateRefusal(linux, flavor) : undefined;
      if (refusal) throw refusal;
      if (linux) container.linux = mergeResources(container.linux, linux);
      container.windows = windows ?? container.windows;
      Object.assign(container.annotations, annotations);
      return {};
    },

    ReopenContainerLog({ containerId }) {
      if (flavor.logFormat === "docker")
        throw rpcError("UNKNOWN", "docker does not support reopening container log files");
      const container = state.containers.get(containerId, "ReopenContainerLog");
      const isCreated = container.state === ContainerState.CONTAINER_CREATED && flavor.family === "cri-o";
      if (container.state !== ContainerState.CONTAINER_RUNNING && !isCreated)
        throw rpcError("UNKNOWN", "container is not running");
      container.output?.reopenLog();
      return {};
    },
  };
}

function checkCreatable(pod: PodRecord, config: ContainerConfig, { flavor }: Lifecycle): void {
  if (pod.state !== PodSandboxState.SANDBOX_READY && !flavor.createsInStoppedSandbox) {
    if (flavor.family === "cri-o")
      throw rpcError("UNKNOWN", `CreateContainer failed as the sandbox was stopped: ${pod.id}`);
    const task = `no running task found: task ${pod.id} not found`;
    throw rpcError("NOT_FOUND", `failed to get sandbox container task: ${task}: not found`);
  }
  if (flavor.family === "cri-o" && !config.image?.userSpecifiedImage) {
    throw rpcError("UNKNOWN", "user specified image not specified, cannot verify image signature");
  }
}

function resolveImage(config: ContainerConfig, { state, flavor }: Lifecycle): ImageRecord {
  const name = config.image?.image ?? "";
  if (name === "") throw rpcError("UNKNOWN", `failed to resolve image "": ambiguous digest string`);
  const image = state.images.find(name);
  if (image) return image;
  throw flavor.errors.missingImage(name);
}

/**
 * Returns the error for a request without the sandbox's configuration. Real runtimes read the configuration only from the
 * request; without it, containerd and its plugin crash.
 */
function withoutSandboxConfig(name: string, { family }: FlavorProfile): ServerError {
  if (family === "docker") return rpcError("UNKNOWN", `sandbox config is nil for container "${name}"`);
  if (family === "cri-o") return rpcError("UNKNOWN", "sandbox config is nil");
  return rpcError("INVALID_ARGUMENT", "CreateContainer requires sandbox_config: without it, a real containerd crashes");
}

type NewContainer = Pick<ContainerRecord, "id" | "name" | "pod" | "metadata" | "config" | "image" | "logDirectory">;

/** Makes a container in the state CREATED. */
export function newContainer(identity: NewContainer, createdAt: bigint, flavor: FlavorProfile): ContainerRecord {
  const { config, image } = identity;
  const own = [...config.command, ...config.args];
  const command = config.command.length > 0 ? own : [...image.entrypoint, ...(own.length > 0 ? own : image.command)];
  return {
    ...identity,
    command,
    logPath: logPathOf(identity, flavor),
    createdAt,
    state: ContainerState.CONTAINER_CREATED,
    startedAt: flavor.unsetTime,
    finishedAt: flavor.unsetTime,
    exitCode: 0,
    reason: "",
    message: "",
    linux: config.linux?.resources,
    windows: config.windows?.resources,
    annotations: { ...config.annotations },
    process: undefined,
    output: undefined,
    ended: undefined,
    starting: false,
  };
}

/** Merges an update of resources. Fields that are zero or empty in the update keep their value. */
function mergeResources(
  current: LinuxContainerResources | undefined,
  update: LinuxContainerResources,
): LinuxContainerResources {
  const given = Object.entries(update).filter(([, value]) => {
    if (typeof value === "string" || Array.isArray(value)) return value.length > 0;
    if (typeof value === "object" && value !== null && "isZero" in value) return !value.isZero();
    return Object.keys(value ?? {}).length > 0;
  });
  return LinuxContainerResources.fromPartial({ ...current, ...Object.fromEntries(given) });
}

/** Returns the verbose info in the runtime's own format. Only containerd reports the configuration of a container. */
function verboseInfo(container: ContainerRecord, { flavor }: Lifecycle): Record<string, string> {
  const running = container.state === ContainerState.CONTAINER_RUNNING;
  const known = { sandboxID: container.pod.id, pid: running ? (container.process?.pid ?? 0) : 0 };
  if (flavor.verboseInfo === "pid") return { info: JSON.stringify(known) };
  const privileged = container.config.linux?.securityContext?.privileged ?? false;
  const config = {
    removing: false,
    snapshotKey: container.id,
    snapshotter: "overlayfs",
    runtimeType: "io.containerd.runc.v2",
    config: messageToGoJson(ContainerConfig, container.config, { replaceInvalidUtf8: true }),
  };
  const own = flavor.verboseInfo === "config" ? config : { privileged };
  return { info: JSON.stringify({ ...known, ...own, runtimeSpec: runtimeSpec(container) }) };
}

/** Returns the parts of the OCI runtime spec that the configuration determines. */
function runtimeSpec({ command, config, image }: ContainerRecord): unknown {
  const envs = config.envs.map(({ key, value }) => [key, Buffer.from(value).toString()]);
  const env = Object.entries({ ...image.env, ...Object.fromEntries(envs) }).map(([key, value]) => `${key}=${value}`);
  const mounts = config.mounts.map(({ containerPath, hostPath, readonly }) => ({
    destination: containerPath,
    type: "bind",
    source: hostPath,
    options: ["rbind", readonly ? "ro" : "rw"],
  }));
  const process = { ...(config.tty && { terminal: true }), args: command, env, cwd: config.workingDir || "/" };
  return { ociVersion: "1.1.0", process, mounts };
}
