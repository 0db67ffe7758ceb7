import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { RuntimeFeatures, RuntimeHandler, VersionResponse } from "../proto.js";
import { invoke } from "../rpcs/invoke.js";
import { status, version } from "../rpcs/runtime.js";
import type { Connection } from "../transport/connection.js";
import type { RawCallOptions } from "../transport/wire-options.js";

/** What a runtime can do, found out by asking it: version numbers lie where vendors backport. */
export interface RuntimeCapabilities {
  /** `containerd`, `cri-o`, … as the runtime calls itself. */
  runtimeName: string;
  /** The runtime's version as it writes it. */
  runtimeVersion: string;
  /** The CRI version it speaks, `v1`. */
  runtimeApiVersion: string;
  /** RuntimeConfig (since Kubernetes 1.28): the runtime tells its cgroup driver. */
  runtimeConfig: boolean;
  /** ListMetricDescriptors and ListPodSandboxMetrics (since Kubernetes 1.26). */
  podMetrics: boolean;
  /** The list RPCs that answer in a stream (since Kubernetes 1.36). Lists work without them. */
  streamingLists: boolean;
  /** UpdatePodSandboxResources (since Kubernetes 1.33). */
  updatePodResources: boolean;
  /** CheckpointContainer (since Kubernetes 1.25). It also needs CRIU on the node, which shows only when it is used. */
  checkpointContainer: boolean;
  /** CheckpointPod and RestorePod (since Kubernetes 1.37, alpha). */
  checkpointPod: boolean;
  /** The runtime handlers (a kubelet's RuntimeClass handlers) and their features; empty before Kubernetes 1.30. */
  runtimeHandlers: RuntimeHandler[];
  /** Features of the runtime as a whole; `undefined` before Kubernetes 1.31. */
  features: RuntimeFeatures | undefined;
}

/** No runtime gives out an id like this: calls with it fail without an effect, with UNIMPLEMENTED where the RPC is missing. */
const noSuchId = "0".repeat(64);

/** Asks Version and Status, and finds out by harmless calls which of the younger RPCs there are. */
export async function findCapabilities(connection: Connection, options?: CallOptions): Promise<RuntimeCapabilities> {
  const { runtime } = connection;
  const has = async (send: (options: RawCallOptions) => Promise<unknown>): Promise<boolean> => {
    try {
      await invoke(connection, options, send);
      return true;
    } catch (error) {
      if (CriError.is(error, "UNIMPLEMENTED")) return false;
      if (CriError.is(error, "UNAVAILABLE", "DEADLINE_EXCEEDED") || !CriError.is(error)) throw error;
      return true;
    }
  };
  const [
    about,
    state,
    runtimeConfig,
    podMetrics,
    streamingLists,
    updatePodResources,
    checkpointContainer,
    checkpointPod,
  ] = await Promise.all([
    version(connection, options),
    status(connection, false, options),
    has((o) => runtime.runtimeConfig({}, o)),
    has((o) => runtime.listMetricDescriptors({}, o)),
    has((o) => drain(runtime.streamContainers({ filter: { id: noSuchId } }, o))),
    has((o) => runtime.updatePodSandboxResources({ podSandboxId: noSuchId }, o)),
    has((o) => runtime.checkpointContainer({ containerId: noSuchId, location: "/nonexistent" }, o)),
    has((o) => runtime.checkpointPod({ podSandboxId: noSuchId, outputPath: "/nonexistent" }, o)),
  ]);
  return {
    ...names(about),
    runtimeConfig,
    podMetrics,
    streamingLists,
    updatePodResources,
    checkpointContainer,
    checkpointPod,
    runtimeHandlers: state.runtimeHandlers,
    features: state.features,
  };
}

function names({ runtimeName, runtimeVersion, runtimeApiVersion }: VersionResponse) {
  return { runtimeName, runtimeVersion, runtimeApiVersion };
}

async function drain(replies: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of replies);
}
