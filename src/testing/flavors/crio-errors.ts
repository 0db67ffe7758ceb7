import { ContainerState } from "../../proto.js";
import { rpcError } from "../handlers.js";
import type { RpcName } from "../rpcs.js";
import type { RuntimeErrors } from "./errors.js";

/** CRI-O uses a specific code in some RPCs only; the others fail with UNKNOWN. */
function lookup(rpc: RpcName, id: string, ofContainer: string, ofPod: string) {
  switch (rpc) {
    case "Exec":
    case "Attach":
      return rpcError("UNKNOWN", `could not find container "${id}": ${ofContainer}`);
    case "ReopenContainerLog":
      return rpcError("UNKNOWN", `could not find container ${id}: ${ofContainer}`);
    case "ContainerStats":
    case "UpdateContainerResources":
      return rpcError("UNKNOWN", ofContainer);
    case "CreateContainer":
      return rpcError("UNKNOWN", `specified sandbox not found: ${id}: ${ofPod}`);
    case "StopPodSandbox":
    case "RemovePodSandbox":
    case "PodSandboxStats":
    case "PortForward":
      return rpcError("UNKNOWN", ofPod);
    case "PodSandboxStatus":
    case "UpdatePodSandboxResources":
      return rpcError("NOT_FOUND", `could not find pod "${id}": ${ofPod}`);
    default:
      return rpcError("NOT_FOUND", `could not find container "${id}": ${ofContainer}`);
  }
}

/** Makes a line of runc's log, which CRI-O passes on unchanged. */
function logged(message: string): string {
  const time = new Date().toISOString().replace(/\.\d+/, "");
  return `time="${time}" level=error msg=${JSON.stringify(message)}\n`;
}

const store = "overlay@/var/lib/containers/storage+/run/containers/storage";

export const crioErrors: RuntimeErrors = {
  missing(rpc, id) {
    const why = `with ID starting with ${id} not found: ID does not exist`;
    return lookup(rpc, id, `container ${why}`, `PodSandbox ${why}`);
  },

  ambiguousId(rpc, id) {
    if (id === "" && rpc === "PortForward") return rpcError("UNKNOWN", "unable to prepare portforward endpoint");
    if (id === "") return lookup(rpc, id, "container ID should not be empty", "PodSandboxId should not be empty");
    const why = `with ID starting with ${id} not found: multiple IDs found with provided prefix: ${id}`;
    return lookup(rpc, id, `container ${why}`, `PodSandbox ${why}`);
  },

  missingImage: (name) => rpcError("UNKNOWN", `reference "[${store}]${name}" does not resolve to an image ID`),

  imageInUse: (_image, { id }) => rpcError("UNKNOWN", `image used by ${id}: image is in use by a container`),

  alreadyStarted: ({ id, state }) =>
    rpcError(
      "UNKNOWN",
      `container ${id} is not in created state: ${state === ContainerState.CONTAINER_RUNNING ? "running" : "stopped"}`,
    ),

  badStreams(rpc, reason) {
    if (rpc === "Attach") return rpcError("UNKNOWN", "unable to prepare attach endpoint");
    const status = `rpc error: code = InvalidArgument desc = ${reason}`;
    return rpcError("INVALID_ARGUMENT", `unable to prepare exec endpoint: ${status}`);
  },

  notRunning(rpc, { id }) {
    if (rpc === "PortForward") return rpcError("UNKNOWN", `sandbox ${id} is not running`);
    const text = "container is not created or running";
    if (rpc === "Attach") return rpcError("UNKNOWN", text);
    return rpcError("NOT_FOUND", `${text}: checking if PID of ${id} is running failed: container process not found`);
  },

  start: (_id, reason) => rpcError("UNKNOWN", `container create failed: ${logged(`runc create failed: ${reason}`)}`),

  exec(rpc, _execId, reason) {
    if (rpc === "ExecSync") {
      return rpcError(
        "UNKNOWN",
        `command error: ${logged(`exec failed: ${reason}`)}, stdout: , stderr: , exit code -1`,
      );
    }
    return { exitCode: 255, stdout: Buffer.of(), stderr: Buffer.from(logged(`exec failed: ${reason}`)) };
  },
};
