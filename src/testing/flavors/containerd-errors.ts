import { ContainerState } from "../../proto.js";
import { rpcError } from "../handlers.js";
import type { RpcName } from "../rpcs.js";
import type { RuntimeErrors } from "./errors.js";

/** The part of each message before the reason. */
const contexts: Partial<Record<RpcName, (id: string) => string>> = {
  CreateContainer: (id) => `failed to find sandbox id "${id}"`,
  UpdateContainerResources: () => "failed to find container",
  ContainerStats: () => "failed to find container",
  CheckpointContainer: (id) => `failed to find container "${id}"`,
  CheckpointPod: (id) => `failed to find sandbox "${id}"`,
  ExecSync: (id) => `failed to exec in container: failed to find container "${id}" in store`,
  Exec: (id) => `failed to find container "${id}" in store`,
  Attach: () => "failed to find container in store",
  PortForward: (id) => `failed to find sandbox "${id}"`,
  PodSandboxStatus: () => "an error occurred when try to find sandbox",
  StopPodSandbox: (id) => `an error occurred when try to find sandbox "${id}"`,
  RemovePodSandbox: (id) => `an error occurred when try to find sandbox "${id}"`,
  PodSandboxStats: (id) => `an error occurred when trying to find sandbox ${id}`,
  UpdatePodSandboxResources: (id) => `failed to find sandbox "${id}"`,
};

const contextOf = (rpc: RpcName, id: string) =>
  (contexts[rpc] ?? (() => `an error occurred when try to find container "${id}"`))(id);

/** Makes the errors of one version of containerd. */
export function containerdErrors(options: {
  emptyId: string;
  shimSuffix: string;
  imageContext: string;
}): RuntimeErrors {
  const shim = (text: string) => `${text}${options.shimSuffix}`;
  return {
    missing: (rpc, id) => rpcError("NOT_FOUND", `${contextOf(rpc, id)}: not found`),
    ambiguousId: (rpc, id) => {
      const why = id === "" ? options.emptyId : `multiple IDs found with provided prefix: ${id}`;
      return rpcError("UNKNOWN", `${contextOf(rpc, id)}: ${why}`);
    },
    missingImage: (name) =>
      rpcError("NOT_FOUND", `${options.imageContext}failed to resolve image "${name}": not found`),
    imageInUse: undefined,
    alreadyStarted: ({ id, state }) => {
      const context = `failed to set starting state for container "${id}"`;
      return rpcError("UNKNOWN", `${context}: container is in ${ContainerState[state]} state`);
    },
    badStreams: (_rpc, reason) => rpcError("INVALID_ARGUMENT", reason),
    notRunning: (rpc, { state }) => {
      if (state === undefined) return rpcError("UNKNOWN", "sandbox container is not running");
      const prefix = rpc === "ExecSync" ? "failed to exec in container: " : "";
      return rpcError("UNKNOWN", `${prefix}container is in ${ContainerState[state]} state`);
    },
    start: (_id, reason) =>
      rpcError(
        "UNKNOWN",
        shim(
          `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ${reason}`,
        ),
      ),
    exec: (_rpc, execId, reason) =>
      rpcError(
        "UNKNOWN",
        shim(
          `failed to exec in container: failed to start exec "${execId}": OCI runtime exec failed: exec failed: ${reason}`,
        ),
      ),
  };
}
