import { messageToGoJson } from "../../json/go-json.js";
import {
  ContainerEventType,
  NamespaceOption,
  PodSandboxConfig,
  PodSandboxState,
  type PortMapping,
  Protocol,
} from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import type { Lifecycle } from "../lifecycle.js";
import { podRefusal } from "../refusals/pod-refusals.js";
import { nameParseError, sandboxName } from "../state/names.js";
import { type PodRecord, toPodSandbox, toPodStatus } from "../state/pods.js";
import { duringCreation } from "./during-creation.js";
import { runtimeHandlerError } from "./status-service.js";

type PodRpc =
  | "RunPodSandbox"
  | "StopPodSandbox"
  | "RemovePodSandbox"
  | "PodSandboxStatus"
  | "ListPodSandbox"
  | "UpdatePodSandboxResources";

/** Handles the pod sandbox RPCs. */
export function podService(lifecycle: Lifecycle, runtimeHandlers: readonly string[]): HandlersOf<PodRpc> {
  const { state, flavor } = lifecycle;

  return {
    async RunPodSandbox({ config, runtimeHandler }, context) {
      if (!config?.metadata) throw rpcError("UNKNOWN", "sandbox config must include metadata");
      const { metadata } = config;
      if (flavor.family === "cri-o") checkCrioMetadata(metadata);
      const id = state.ids.next();
      const name = sandboxName(metadata, flavor);
      const podSandboxId = await state.podNames.create(name, id, context.signal, async () => {
        if (runtimeHandler !== "" && !runtimeHandlers.includes(runtimeHandler)) {
          throw runtimeHandlerError(runtimeHandler, id, flavor);
        }
        const refusal = lifecycle.strict ? podRefusal(config, id, flavor) : undefined;
        if (refusal) throw refusal;
        state.images.add({ ...flavor.sandboxImage, command: ["/pause"] });
        const failure = await duringCreation(context, flavor).then(
          () => undefined,
          (error: unknown) => ({ error }),
        );
        if (failure && !flavor.leavesFailedPods) throw failure.error;
        const pod: PodRecord = {
          id,
          name,
          metadata,
          config,
          runtimeHandler,
          createdAt: state.clock.now(),
          ip: state.pods.nextIp(config),
          pid: 10_000 + state.pods.all.length,
          state: failure ? PodSandboxState.SANDBOX_NOTREADY : PodSandboxState.SANDBOX_READY,
          resources: config.linux?.resources,
          overhead: config.linux?.overhead,
        };
        // CRI-O creates the directory with the pod, containerd with the first log.
        if (flavor.missingLogDirectory === "failsCreate") lifecycle.createLogDirectory(pod);
        state.pods.add(pod);
        if (failure) throw failure.error;
        lifecycle.announcePod(pod, ContainerEventType.CONTAINER_CREATED_EVENT);
        lifecycle.announcePod(pod, ContainerEventType.CONTAINER_STARTED_EVENT);
      });
      return { podSandboxId };
    },

    async StopPodSandbox({ podSandboxId }, context) {
      const pod = state.pods.findToStopOrRemove(podSandboxId, "StopPodSandbox");
      if (pod) await lifecycle.stopPod(pod, context);
      return {};
    },

    async RemovePodSandbox({ podSandboxId }, context) {
      const pod = state.pods.findToStopOrRemove(podSandboxId, "RemovePodSandbox");
      if (pod) await lifecycle.removePod(pod, context);
      return {};
    },

    PodSandboxStatus({ podSandboxId, verbose }) {
      const pod = state.pods.get(podSandboxId, "PodSandboxStatus");
      const parseError = nameParseError("sandbox", pod.name, flavor);
      if (parseError !== undefined) throw rpcError("UNKNOWN", parseError);
      const status = toPodStatus(pod);
      return { status, info: verbose ? verboseInfo(pod, lifecycle) : {} };
    },

    ListPodSandbox: ({ filter }) => ({ items: state.pods.list(filter).map(toPodSandbox) }),

    UpdatePodSandboxResources({ podSandboxId, overhead, resources }) {
      const pod = state.pods.get(podSandboxId, "UpdatePodSandboxResources");
      if (pod.state !== PodSandboxState.SANDBOX_READY) {
        throw rpcError("FAILED_PRECONDITION", `sandbox "${pod.id}" is not ready`);
      }
      pod.overhead = overhead ?? pod.overhead;
      pod.resources = resources ?? pod.resources;
      return {};
    },
  };
}

function checkCrioMetadata(metadata: { name: string; namespace: string; uid: string }): void {
  if (metadata.name && metadata.namespace && metadata.uid) return;
  throw rpcError(
    "UNKNOWN",
    "setting pod sandbox name and id: cannot generate pod name without name, namespace and uid",
  );
}

/**
 * Returns the verbose info in the runtime's own format. CRI-O reports parts of the configuration as annotations of the OCI spec,
 * without the security context. Docker reports nothing.
 */
function verboseInfo(pod: PodRecord, { flavor }: Lifecycle): Record<string, string> {
  if (flavor.verboseInfo === "pid") return {};
  return { info: JSON.stringify(flavor.verboseInfo === "config" ? configInfo(pod, flavor) : specInfo(pod)) };
}

function specInfo({ config }: PodRecord): unknown {
  const { privileged = false, namespaceOptions } = config.linux?.securityContext ?? {};
  const own = {
    CgroupParent: config.linux?.cgroupParent ?? "",
    HostName: config.hostname,
    LogPath: config.logDirectory,
    NamespaceOptions: JSON.stringify(messageToGoJson(NamespaceOption, namespaceOptions ?? NamespaceOption.create())),
    PortMappings: JSON.stringify(config.portMappings.filter(({ hostPort }) => hostPort > 0).map(portMapping)),
    PrivilegedRuntime: String(privileged),
  };
  const annotations = Object.fromEntries(
    Object.entries(own).map(([key, value]) => [`io.kubernetes.cri-o.${key}`, value]),
  );
  return { runtimeSpec: { annotations } };
}

function portMapping({ hostPort, containerPort, protocol, hostIp }: PortMapping): unknown {
  return { HostPort: hostPort, ContainerPort: containerPort, Protocol: Protocol[protocol], HostIP: hostIp };
}

function configInfo(pod: PodRecord, { sandboxImage }: FlavorProfile): unknown {
  const ready = pod.state === PodSandboxState.SANDBOX_READY;
  const { resources, overhead } = pod;
  const config = PodSandboxConfig.create({ ...pod.config, linux: { ...pod.config.linux, resources, overhead } });
  return {
    pid: ready ? pod.pid : 0,
    processStatus: ready ? "running" : "deleted",
    netNamespaceClosed: !ready,
    image: sandboxImage.reference,
    snapshotKey: pod.id,
    snapshotter: "overlayfs",
    runtimeHandler: pod.runtimeHandler,
    runtimeType: "io.containerd.runc.v2",
    config: messageToGoJson(PodSandboxConfig, config, { replaceInvalidUtf8: true }),
  };
}
