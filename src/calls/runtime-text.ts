import { Status } from "nice-grpc-common";
import type { CriErrorCode, GrpcErrorCode, ImagePullFailure } from "../errors.js";
import { exceedsReplyLimits } from "../transport/reply-decoding.js";
import { explainTlsFailure } from "../transport/tls.js";
import { isStartingUp } from "../transport/unsent.js";

/*
 * Runtimes say much in prose that gRPC codes do not carry. Every text this package relies on is recognised here and nowhere
 * else, each with the runtime that sends it.
 */

/** Reading a code from the text, where a runtime answers UNKNOWN for what has a code of its own. */
export function refineCode(code: GrpcErrorCode, method: string, details: string): CriErrorCode {
  if (code !== "UNKNOWN") return code;
  // Both runtimes, of whatever file it was: write /…: no space left on device
  if (/no space left on device|disk quota exceeded/i.test(details)) return "RESOURCE_EXHAUSTED";
  if (isStartingUp(Status.UNKNOWN, details)) return "UNAVAILABLE";
  if (/\/(Exec|ExecSync|Attach|PortForward)$/.test(method)) {
    if (isNotRunning(details)) return "FAILED_PRECONDITION";
    return /\/Exec(Sync)?$/.test(method) && isCommandMissing(details) ? "COMMAND_NOT_FOUND" : code;
  }
  // cri-dockerd, of the object that the call names. Much else may be "not found" on the way: a network, an executable.
  if (!/Status$|Stats$|\/Stop|\/Remove/.test(method)) return code;
  const missing =
    /\bno such (container|pod|sandbox):? "?[0-9a-f]+|\b(container|sandbox|pod)( with id)?:? "?[0-9a-f]+"?:? (not found|does not exist)/i;
  return missing.test(details) ? "NOT_FOUND" : code;
}

/** Whether a command could not be run because the container has no such executable. */
function isCommandMissing(details: string): boolean {
  // runc: exec: "nope": executable file not found in $PATH
  // runc: exec: "/nope": stat /nope: no such file or directory
  // runc, of a script without its interpreter: exec /script: no such file or directory
  // crun: executable file `nope` not found in $PATH: No such file or directory
  return /executable file .{0,300}?not found|exec:? \S+ (stat [^:]+: )?no such file or directory/i.test(details);
}

/** Whether a session was refused because its container, or its pod, is not running. */
function isNotRunning(details: string): boolean {
  // containerd: container is in CONTAINER_EXITED state
  // containerd: sandbox container "…" is not running
  // CRI-O: container is not created or running; container is not running
  return /container is in CONTAINER_\w+ state|(container|sandbox)[^:]* is not (created or )?(running|ready)/i.test(
    details,
  );
}

/** The holder of a taken name, or undefined when the text is not about a taken name. */
export function nameHolder(details: string): { id: string | undefined } | undefined {
  // containerd: failed to reserve sandbox name "n_ns_uid_0": name "n_ns_uid_0" is reserved for "<id>"
  const containerd = /is reserved for "?([0-9a-zA-Z_.-]+)"?/.exec(details);
  if (containerd) return { id: containerd[1] };
  // cri-dockerd: Conflict. The container name "/k8s_…" is already in use by container "<id>"
  const docker = /name .* is already in use by container "?([0-9a-f]+)"?/.exec(details);
  if (docker) return { id: docker[1] };
  // CRI-O: error reserving ctr name k8s_… for id <the new one's id>: name is reserved
  if (/name is reserved\b/.test(details)) return { id: undefined };
  return undefined;
}

/** Whether a removal or a start was refused because the container is just being started. */
export function isStarting(details: string): boolean {
  // containerd: failed to set removing state for container "…": container is in starting state, can't be removed
  // containerd: failed to set starting state for container "…": container is already in starting state
  return /container is (already )?in starting state/.test(details);
}

/** Whether a stop or a removal failed because the runtime is still busy with the container, and has a chance a moment later. */
export function isUnsettled(details: string): boolean {
  // containerd, of a container whose end it has not taken note of yet:
  // failed to set removing state for container "…": container is still running, to stop first
  // failed to kill container "…": ttrpc: closed
  return isStarting(details) || /container is still running, to stop first|ttrpc: closed/.test(details);
}

/**
 * Whether a created container can never be started, by the `info` of its verbose status. containerd up to 1.7 goes on with a
 * CreateContainer whose caller is gone, fails to learn the process id of the pod, and notes down 0.
 */
export function isStillborn(info: Readonly<Record<string, string>>): boolean {
  return /"path": ?"\/proc\/0\/ns\//.test(info.info ?? "");
}

/** Why a pull failed. The first two prefixes are part of the CRI contract (cri-api's pkg/errors). */
export function pullFailure(code: GrpcErrorCode, details: string): ImagePullFailure {
  if (/RegistryUnavailable/.test(details)) return "RegistryUnavailable";
  if (/SignatureValidationFailed/.test(details)) return "SignatureValidationFailed";
  const status = httpStatusIn(details);
  const unauthorized =
    /unauthori[sz]ed|authentication required|authorization failed|no basic auth credentials|insufficient_scope/i;
  if (status === 401 || status === 403 || unauthorized.test(details)) return "Unauthorized";
  if (code === "NOT_FOUND" || /not found|manifest unknown|does not exist/i.test(details)) return "NotFound";
  if (/invalid reference|failed to parse image|could not parse|unable to parse/i.test(details))
    return "InvalidReference";
  // EOF, unexpected or not, is what Go says when the other side hangs up.
  const unreachable =
    /connection refused|no such host|i\/o timeout|TLS handshake|dial tcp|connection reset|broken pipe|\bEOF\b/i;
  if (status === 429 || (status !== undefined && status >= 500) || unreachable.test(details)) {
    return "RegistryUnavailable";
  }
  return "Other";
}

/** The status that a registry answered with. Ports, sizes and names hold such numbers too. */
function httpStatusIn(details: string): number | undefined {
  // containerd: unexpected status code http://…: 429 Too Many Requests
  // CRI-O: received unexpected HTTP status: 500 Internal Server Error; StatusCode: 403
  // cri-dockerd: error parsing HTTP 403 response body
  const found = /(?:[Ss]tatus ?[Cc]ode:? ?|[Ss]tatus:? |HTTP )([45]\d\d)\b|: ([45]\d\d)(?:,| [A-Z])/.exec(details);
  return found ? Number(found[1] ?? found[2]) : undefined;
}

/** Whether the runtime refused a request for its size. It does so before it looks at it. */
export function isRequestTooLarge(code: Status, details: string): boolean {
  return code === Status.RESOURCE_EXHAUSTED && /^grpc: received message larger than max/.test(details);
}

/** What a user can do about a failure whose text does not say it. */
export function hint(code: Status, details: string): string | undefined {
  if (code === Status.RESOURCE_EXHAUSTED) {
    if (isRequestTooLarge(code, details)) {
      return "the request is larger than the runtime takes; its setting is max_recv_message_size (containerd) or grpc_max_recv_msg_size (CRI-O)";
    }
    if (/trying to send message larger than max/.test(details)) {
      return "the reply is larger than the runtime sends; narrow the filter, or raise max_send_message_size (containerd) or grpc_max_send_msg_size (CRI-O)";
    }
    if (/larger than (max|\d)/.test(details) || exceedsReplyLimits(details)) {
      return 'the reply is larger than the receive limit; raise channelOptions["grpc.max_receive_message_length"] or narrow the filter';
    }
    return undefined;
  }
  if (code === Status.UNIMPLEMENTED && /unknown service runtime\.v1\./.test(details)) {
    return (
      "a gRPC server answers here but serves no CRI v1: containerd older than 1.6, a containerd whose cri plugin is in disabled_plugins, " +
      "or, over TCP, one whose cri plugin has disable_tcp_service left at true"
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
  if (/cgroupPath is empty/.test(details))
    return "containerd finds the usage of a pod by its cgroup parent; run the pod with a cgroupParent";
  return undefined;
}
