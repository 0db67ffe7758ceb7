import { flag, integer, invalid, isSet, list, maxUint32, oneOf, refuse, requiredString } from "../input/check.js";
import { ObjectReader } from "../input/object-reader.js";
import { type IDMapping, NamespaceMode, NamespaceOption, UserNamespace } from "../proto.js";

/** Maps a range of user or group ids in a user namespace to ids of the node. */
export interface IdRange {
  /** First id inside the namespace. */
  containerId: number;
  /** First id on the node. */
  hostId: number;
  /** How many ids, at least one. @defaultValue 65536 */
  length?: number | undefined;
}

/** The mappings of a user namespace. Runtimes so far accept exactly one range of users and one of groups. */
export interface UserNamespaceSpec {
  uids: readonly IdRange[];
  gids: readonly IdRange[];
}

/** Which namespaces of the node a pod shares, with the field names of a Kubernetes manifest. */
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
   * Runs the pod in a user namespace with these mappings, as a kubelet does for `hostUsers: false` with mappings that it picks.
   * Since Kubernetes 1.25; containerd 1.7, CRI-O 1.25, or newer. @defaultValue the node's users
   */
  userNamespace?: UserNamespaceSpec | undefined;
}

/**
 * The processes that a container sees: only its own (`"container"`), those of the whole pod (`"pod"`), those of the node
 * (`"host"`), or those of another container of the pod, as with `kubectl debug --target`.
 */
export type ProcessNamespace = "container" | "pod" | "host" | { target: string };

/** Converts the namespace settings of a pod. */
export function toNamespaceOption(spec: ObjectReader<PodNamespaces>): NamespaceOption {
  const sharesPod = spec.read("shareProcessNamespace", flag);
  const hostPID = spec.read("hostPID", flag);
  if (sharesPod && hostPID) {
    spec.refuse(
      "shareProcessNamespace",
      "has no effect with hostPID, which shares the processes of the whole node: drop one",
    );
  }
  return NamespaceOption.create({
    network: spec.read("hostNetwork", mode),
    // CRI's zero value is POD (shared). A kubelet sets CONTAINER unless the manifest says otherwise.
    pid: hostPID ? NamespaceMode.NODE : sharesPod ? NamespaceMode.POD : NamespaceMode.CONTAINER,
    ipc: spec.read("hostIPC", mode),
    usernsOptions: spec.optional("userNamespace", toUserNamespace),
  });
}

function mode(host: unknown, field: string): NamespaceMode {
  return flag(host, field) ? NamespaceMode.NODE : NamespaceMode.POD;
}

const processModes = { container: NamespaceMode.CONTAINER, pod: NamespaceMode.POD, host: NamespaceMode.NODE };

/** Converts the process namespace of a container. */
export function toProcessNamespace(
  processes: ProcessNamespace,
  field: string,
): Pick<NamespaceOption, "pid" | "targetId"> {
  if (typeof processes === "object") {
    const targetId = new ObjectReader(processes, field, { target: true }).read("target", requiredString);
    return { pid: NamespaceMode.TARGET, targetId };
  }
  return { pid: oneOf(processes, field, processModes, NamespaceMode.CONTAINER), targetId: "" };
}

function toUserNamespace(spec: UserNamespaceSpec, field: string): UserNamespace {
  const namespace = new ObjectReader(spec, field, { uids: true, gids: true });
  const mapped = { uids: namespace.read("uids", toIdMappings), gids: namespace.read("gids", toIdMappings) };
  for (const key of ["uids", "gids"] as const) {
    if (mapped[key].length === 0) namespace.refuse(key, "needs a range of ids");
  }
  return UserNamespace.create({ mode: NamespaceMode.POD, ...mapped });
}

export function toIdMappings(ranges: readonly IdRange[] | undefined, field: string): IDMapping[] {
  return list(ranges, field, toIdMapping);
}

function toIdMapping(entry: IdRange, field: string): IDMapping {
  const range = new ObjectReader(entry, field, { containerId: true, hostId: true, length: true });
  const length = range.read("length", integer, 1, maxUint32, 65_536);
  return {
    containerId: range.read("containerId", firstId, length),
    hostId: range.read("hostId", firstId, length),
    length,
  };
}

function firstId(value: number, field: string, length: number): number {
  if (!isSet(value)) refuse(field, "is required");
  const first = integer(value, field, 0, maxUint32, 0);
  return first + length > 2 ** 32 ? invalid(field, `a range of ${length} ids does not fit below 2^32`, value) : first;
}
