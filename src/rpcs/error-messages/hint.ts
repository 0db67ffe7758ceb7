import { Status } from "nice-grpc-common";
import { tooManyFields } from "../../transport/reply-reader.js";
import { explainTlsFailure } from "../../transport/tls.js";

/** Returns whether the runtime refused a request because of its size, before it processed anything. */
export function isRequestTooLarge(code: Status, details: string): boolean {
  return code === Status.RESOURCE_EXHAUSTED && /^grpc: received message larger than max/.test(details);
}

/** Returns the error message for the user: the message of the runtime or grpc-js, and the remedy. */
export function explain(code: Status, details: string): string {
  const message = connectFailure(details) ?? (details.trim() || "the runtime gave no reason");
  const remedy = hint(code, details);
  return remedy ? `${message} — ${remedy}` : message;
}

/**
 * Returns why grpc-js could not connect, from its error message: No connection established. Last error: Error: connect ENOENT
 * /run/x.sock. Resolution note:
 *
 * Leaves out the address, because every `CriError` ends with it, and an empty note.
 */
function connectFailure(details: string): string | undefined {
  const [, reason, note] =
    /^No connection established\. Last error: (?:Error: )?(.*?)(?:\. Resolution note: *(.*))?$/s.exec(details) ?? [];
  if (reason === undefined) return undefined;
  const errorCode = /^connect (E[A-Z]+)\b/.exec(reason)?.[1];
  return `cannot connect${errorCode ? ` (${errorCode})` : `: ${reason}`}${note ? `; ${note}` : ""}`;
}

/** Returns the remedy for a failure, unless the error message already contains it. */
export function hint(code: Status, details: string): string | undefined {
  if (code === Status.RESOURCE_EXHAUSTED) {
    if (isRequestTooLarge(code, details)) {
      return (
        "the request is larger than the runtime accepts; its setting is max_recv_message_size (containerd) or " +
        "grpc_max_recv_msg_size (CRI-O)"
      );
    }
    if (/trying to send message larger than max/.test(details)) {
      return (
        "the reply is larger than the runtime sends; narrow the filter, or raise max_send_message_size (containerd) or " +
        "grpc_max_send_msg_size (CRI-O)"
      );
    }
    if (/larger than (max|\d)/.test(details) || details.includes(tooManyFields)) {
      return (
        "the reply is larger than the receive limit; raise " +
        'channelOptions["grpc.max_receive_message_length"] or narrow the filter'
      );
    }
    return undefined;
  }
  // CRI-O: exit status 1 (of conmon); cri-dockerd: failed to create symbolic link "/logs/main/0.log" to the container log file …
  if (/^exit status 1$|failed to create symbolic link "[^"]*" to the container log file/.test(details)) {
    return "the folder of the container's log may be missing on the node; create it there, or choose another logPath";
  }
  // containerd 1.6 and 1.7: … namespace path: lstat /proc/0/ns/ipc: no such file or directory
  if (/lstat \/proc\/0\/ns\//.test(details)) {
    return (
      "the node was too busy: when the container was created, the pod's shim did not answer in time (2 s), and so the " +
      "container can never start; remove it and create it again. containerd's setting of the time is " +
      "io.containerd.timeout.task.state"
    );
  }
  if (code === Status.UNIMPLEMENTED && /unknown service runtime\.v1\./.test(details)) {
    return (
      "a gRPC server answers here but serves no CRI v1: containerd older than 1.6, a containerd whose cri plugin is in " +
      "disabled_plugins, or, over TCP, one whose cri plugin has disable_tcp_service left at true"
    );
  }
  if (code === Status.UNAVAILABLE && /\bENOENT\b/.test(details))
    return "there is no socket at this path; is the runtime running?";
  if (code === Status.UNAVAILABLE && /\bECONNREFUSED\b/.test(details))
    return "nothing listens on this endpoint; is the runtime running?";
  if (code === Status.UNAVAILABLE && /\b(EACCES|EPERM)\b/.test(details)) {
    return "this user may not open the socket; run as root or as a member of the socket's group";
  }
  if (code === Status.UNAVAILABLE) return explainTlsFailure(details);
  // containerd up to 2.1: … because cgroupPath is empty. 2.4: sandbox "<id>" has no cgroup parent
  if (/cgroupPath is empty|has no cgroup parent/.test(details))
    return "containerd finds the usage of a pod by its cgroup parent; run the pod with a cgroupParent";
  return undefined;
}
