import { rpcError } from "../handlers.js";
import type { RpcName } from "../rpcs.js";
import type { RuntimeErrors } from "./errors.js";

/** The prefixes that cri-dockerd adds to the daemon's messages. */
const contexts: Partial<Record<RpcName, (id: string) => string>> = {
  CreateContainer: () => "unable to get container's sandbox ID: ",
  StartContainer: (id) => `failed to get container "${id}" log path: failed to inspect container "${id}": `,
  RemoveContainer: (id) => `failed to get container "${id}" log path: failed to inspect container "${id}": `,
  UpdateContainerResources: (id) => `failed to update container "${id}": `,
};

export const criDockerdErrors: RuntimeErrors = {
  missing(rpc, id) {
    if (rpc === "ContainerStats") return rpcError("UNKNOWN", `container with id ${id} not found`);
    const code = rpc === "StopContainer" ? "NOT_FOUND" : "UNKNOWN";
    return rpcError(code, `${contexts[rpc]?.(id) ?? ""}Error response from daemon: No such container: ${id}`);
  },

  ambiguousId(rpc, id) {
    const reason = id === "" ? "" : `Error response from daemon: Multiple IDs found with provided prefix: ${id}`;
    return rpcError("UNKNOWN", `${contexts[rpc]?.(id) ?? ""}${reason}`);
  },

  missingImage: (name) => rpcError("UNKNOWN", `Error response from daemon: No such image: ${name}`),

  imageInUse(image, { id }) {
    const conflict = `conflict: unable to remove repository reference "${image.tags[0] ?? image.id}" (must force)`;
    const why = `container ${id.slice(0, 12)} is using its referenced image ${image.id.slice(7, 19)}`;
    return rpcError("UNKNOWN", `Error response from daemon: ${conflict} - ${why}`);
  },

  alreadyStarted: undefined,

  badStreams: (_rpc, reason) => rpcError("INVALID_ARGUMENT", reason),

  notRunning: (_rpc, { id }) => rpcError("UNKNOWN", `container not running (${id})`),

  start(id, reason) {
    const task = "failed to create task for container: failed to create shim task: OCI runtime create failed";
    const details = `Error response from daemon: ${task}: runc create failed: ${reason}: unknown`;
    return rpcError("UNKNOWN", `failed to start container "${id}": ${details}`);
  },

  exec(_rpc, _execId, reason) {
    const text = `OCI runtime exec failed: exec failed: ${reason}: unknown\r\n`;
    return { exitCode: 126, stdout: Buffer.from(text), stderr: Buffer.of() };
  },
};
