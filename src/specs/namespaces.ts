import { type IDMapping, NamespaceMode, NamespaceOption, UserNamespace } from "../proto.js";
import { at, flag, integer, invalid, isSet, list, maxUint32, object, refuse, requiredText, word } from "./check.js";

/** A range of user or group ids inside a user namespace and what it is outside. */
export interface IdRange {
  /** First id inside the namespace. */
  containerId: number;
  /** First id on the node. */
  hostId: number;
  /** How many ids, at least one. @defaultValue 65536 */
  length?: number | undefined;
}

/** The mappings of a user namespace. Runtimes take exactly one range for users and one for groups so far. */
export interface UserNamespaceSpec {
  uids: readonly IdRange[];
  gids: readonly IdRange[];
}

/** Which namespaces of the node a pod shares, in the words of a Kubernetes manifest. */
export interface PodNamespaces {
  /** The pod uses the node's network, and with it the node's host name. @defaultValue false */
  hostNetwork?: boolean | undefined;
  /** The containers see the node's processes. @defaultValue false */
  hostPID?: boolean | undefined;
  /** The pod uses the node's System V and POSIX IPC. @defaultValue false */
  hostIPC?: boolean | undefined;
  /** The containers of the pod see each other's processes. Not together with {@link hostPID}. @defaultValue false */
  shareProcessNamespace?: boolean | undefined;
  /**
   * Runs the pod in a user namespace with these mappings (a kubelet does so for `hostUsers: false` and picks them).
   * Kubernetes 1.25; containerd 1.7, CRI-O 1.25, or newer. @defaultValue the node's users
   */
  userNamespace?: UserNamespaceSpec | undefined;
}

/**
 * Whose processes a container sees: only its own (`"container"`), those of the whole pod (`"pod"`), those of the node
 * (`"host"`), or those of another container of the pod, as `kubectl debug --target` has it.
 */
export type ProcessNamespace = "container" | "pod" | "host" | { target: string };

export function toNamespaceOption(spec: PodNamespaces, field: string): NamespaceOption {
  const sharesPod = flag(spec.shareProcessNamespace, at(field, "shareProcessNamespace"));
  const hostPID = flag(spec.hostPID, at(field, "hostPID"));
  if (sharesPod && hostPID) {
    refuse(
      at(field, "shareProcessNamespace"),
      "is of no use with hostPID, which shares the processes of the whole node: drop one",
    );
  }
  return NamespaceOption.create({
    network: mode(spec.hostNetwork, at(field, "hostNetwork")),
    // CRI's zero value is POD (shared); a kubelet asks for CONTAINER unless the manifest says otherwise.
    pid: hostPID ? NamespaceMode.NODE : sharesPod ? NamespaceMode.POD : NamespaceMode.CONTAINER,
    ipc: mode(spec.hostIPC, at(field, "hostIPC")),
    usernsOptions: toUserNamespace(spec.userNamespace, at(field, "userNamespace")),
  });
}

function mode(host: boolean | undefined, field: string): NamespaceMode {
  return flag(host, field) ? NamespaceMode.NODE : NamespaceMode.POD;
}

/**
 * The namespace options of a container: those of its pod, which runtimes compare (containerd refuses a container whose user
 * namespace differs) or take from the container alone (processes, IPC), and its own choice about processes.
 */
export function containerNamespaces(
  pod: NamespaceOption | undefined,
  processes: ProcessNamespace | null | undefined,
  field: string,
): NamespaceOption {
  const options = NamespaceOption.create(pod ?? {});
  if (!isSet(processes)) return options;
  if (typeof processes === "object") {
    const { target } = object(processes, field, { target: true });
    return { ...options, pid: NamespaceMode.TARGET, targetId: requiredText(target, at(field, "target")) };
  }
  const pid = word(processes, field, processModes, NamespaceMode.CONTAINER);
  // containerd would give it the processes of the pod's sandbox without a word.
  if (pid === NamespaceMode.NODE && pod !== undefined && pod.pid !== NamespaceMode.NODE) {
    refuse(field, 'can only be "host" in a pod with hostPID: true');
  }
  return { ...options, pid, targetId: "" };
}

const processModes = { container: NamespaceMode.CONTAINER, pod: NamespaceMode.POD, host: NamespaceMode.NODE };

function toUserNamespace(spec: UserNamespaceSpec | undefined, field: string): UserNamespace | undefined {
  if (!isSet(spec)) return undefined;
  const { uids, gids } = object(spec, field, { uids: true, gids: true });
  const mapped = { uids: toIdMappings(uids, at(field, "uids")), gids: toIdMappings(gids, at(field, "gids")) };
  for (const key of ["uids", "gids"] as const) {
    if (mapped[key].length === 0) refuse(at(field, key), "needs a range of ids");
  }
  return UserNamespace.create({ mode: NamespaceMode.POD, ...mapped });
}

export function toIdMappings(ranges: readonly IdRange[] | undefined, field: string): IDMapping[] {
  return list(ranges, field).map((entry, index) => {
    const path = at(field, index);
    const range = object(entry, path, { containerId: true, hostId: true, length: true });
    const length = integer(range.length, at(path, "length"), 1, maxUint32, 65_536);
    return {
      containerId: firstId(range.containerId, length, at(path, "containerId")),
      hostId: firstId(range.hostId, length, at(path, "hostId")),
      length,
    };
  });
}

function firstId(value: number, length: number, field: string): number {
  if (!isSet(value)) refuse(field, "is required");
  const first = integer(value, field, 0, maxUint32, 0);
  return first + length > 2 ** 32 ? invalid(field, `a range of ${length} ids does not fit below 2^32`, value) : first;
}
