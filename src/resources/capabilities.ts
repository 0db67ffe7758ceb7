import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import type { RuntimeFeatures, RuntimeHandler, VersionResponse } from "../proto.js";
import { invoke } from "../rpcs/invoke.js";
import { status, version } from "../rpcs/runtime.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { Connection } from "../transport/connection.js";
import type { RawCallOptions } from "../transport/wire-options.js";

/** The capabilities of a runtime, found by probing it. Version numbers are not reliable, because vendors backport features. */
export interface RuntimeCapabilities {
  /** The name that the runtime reports: `containerd`, `cri-o`, `docker`. */
  runtimeName: string;
  /** The runtime's version, in its own format. */
  runtimeVersion: string;
  /** The version of CRI: `v1`. */
  runtimeApiVersion: string;
  /** RuntimeConfig (since Kubernetes 1.28), which reports the cgroup driver. */
  runtimeConfig: boolean;
  /** ListMetricDescriptors and ListPodSandboxMetrics (since Kubernetes 1.26). */
  podMetrics: boolean;
  /** The list RPCs that reply with a stream (since Kubernetes 1.36). Lists also work without them. */
  streamingLists: boolean;
  /** UpdatePodSandboxResources (since Kubernetes 1.33). */
  updatePodResources: boolean;
  /** CheckpointContainer (since Kubernetes 1.25). It also requires CRIU on the node; without it, the call fails. */
  checkpointContainer: boolean;
  /** CheckpointPod and RestorePod (since Kubernetes 1.37, alpha). */
  checkpointPod: boolean;
  /** The runtime handlers (a kubelet's RuntimeClass handlers) and their features; empty before Kubernetes 1.30. */
  runtimeHandlers: RuntimeHandler[];
  /** Features of the runtime as a whole; `undefined` before Kubernetes 1.31. */
  features: RuntimeFeatures | undefined;
}

/** No object has this id, so calls with it fail without an effect: with UNIMPLEMENTED if the runtime lacks the RPC. */
const missingId = "0".repeat(64);

/** Calls Version and Status, and probes the newer RPCs with calls that have no effect. */
export const findCapabilities = asWorkflow({ name: "capabilities" }, probeCapabilities);

async function probeCapabilities(connection: Connection, options?: CallOptions): Promise<RuntimeCapabilities> {
  const { runtime } = connection;
  const isImplemented = async (send: (options: RawCallOptions) => Promise<unknown>): Promise<boolean> => {
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
    isImplemented((o) => runtime.runtimeConfig({}, o)),
    isImplemented((o) => runtime.listMetricDescriptors({}, o)),
    isImplemented((o) => drain(runtime.streamContainers({ filter: { id: missingId } }, o))),
    isImplemented((o) => runtime.updatePodSandboxResources({ podSandboxId: missingId }, o)),
    isImplemented((o) => runtime.checkpointContainer({ containerId: missingId, location: "/nonexistent" }, o)),
    isImplemented((o) => runtime.checkpointPod({ podSandboxId: missingId, outputPath: "/nonexistent" }, o)),
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
