import { InvalidInputError } from "../errors.js";
import { checkRpcName, type Rpc, type RpcName } from "./rpcs.js";

/** The runtimes that can be imitated. */
export type FakeFlavor = "containerd-1.6" | "containerd-1.7" | "containerd-2" | "cri-o";

/** How GetContainerEvents behaves. */
export type EventMode =
  /** Every subscriber gets every event; what happened while nobody listened goes to the first one. */
  | "broadcast"
  /** One queue for all: subscribers take each other's events. */
  | "shared"
  /** The stream ends at once, with OK. */
  | "off";

/**
 * Where runtimes differ. Everything said here about containerd was seen on 1.6.20, 1.7.24 and 2.1.9; what is said about CRI-O
 * follows its sources.
 */
export interface FlavorProfile {
  readonly name: FakeFlavor;
  readonly family: "containerd" | "cri-o";
  readonly runtimeName: string;
  readonly runtimeVersion: string;
  /** RPCs that answer UNIMPLEMENTED because the runtime's schema does not have them. */
  readonly unknown: readonly RpcName[];
  /** RPCs that the schema has and the runtime does not implement. */
  readonly notImplemented: readonly RpcName[];
  readonly events: EventMode;
  /** The code of "name is reserved". */
  readonly reservedCode: "UNKNOWN" | "FAILED_PRECONDITION";
  /** StopContainer and StopPodSandbox of something that does not exist. */
  readonly stopMissing: "OK" | "NOT_FOUND";
  /** Whether CreateContainer accepts a sandbox that was stopped; starting it fails all the same. */
  readonly createsInStoppedSandbox: boolean;
  /** Whether ListImages looks at its filter. */
  readonly filtersImages: boolean;
  /** Whether statuses carry `imageId`. */
  readonly reportsImageId: boolean;
  /** What an id that is an empty string is answered with. */
  readonly emptyId: string;
  readonly maxMessageBytes: number;
}

const streamingLists = [
  "StreamPodSandboxes",
  "StreamContainers",
  "StreamContainerStats",
  "StreamPodSandboxStats",
  "StreamPodSandboxMetrics",
  "StreamImages",
] as const satisfies RpcName[];
const newerThanContainerd = [...streamingLists, "UpdatePodSandboxResources", "CheckpointPod", "RestorePod"] as const;
const mebibyte = 1 << 20;

const containerd = {
  family: "containerd",
  runtimeName: "containerd",
  reservedCode: "UNKNOWN",
  stopMissing: "OK",
  createsInStoppedSandbox: false,
  filtersImages: false,
  reportsImageId: false,
  emptyId: "prefix can't be empty",
  maxMessageBytes: 16 * mebibyte,
} as const;

const profiles: Readonly<Record<FakeFlavor, FlavorProfile>> = {
  "containerd-1.6": {
    ...containerd,
    name: "containerd-1.6",
    runtimeVersion: "1.6.20",
    unknown: [...newerThanContainerd, "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
    notImplemented: ["CheckpointContainer", "GetContainerEvents"],
    events: "off",
    stopMissing: "NOT_FOUND",
    emptyId: "Prefix can't be empty",
  },
  "containerd-1.7": {
    ...containerd,
    name: "containerd-1.7",
    runtimeVersion: "1.7.24",
    unknown: newerThanContainerd,
    notImplemented: ["CheckpointContainer", "RuntimeConfig", "ListMetricDescriptors", "ListPodSandboxMetrics"],
    events: "shared",
  },
  "containerd-2": {
    ...containerd,
    name: "containerd-2",
    runtimeVersion: "2.1.9",
    unknown: newerThanContainerd,
    notImplemented: ["ListMetricDescriptors", "ListPodSandboxMetrics"],
    events: "broadcast",
    reservedCode: "FAILED_PRECONDITION",
    createsInStoppedSandbox: true,
  },
  "cri-o": {
    name: "cri-o",
    family: "cri-o",
    runtimeName: "cri-o",
    runtimeVersion: "1.34.0",
    unknown: [...streamingLists, "CheckpointPod", "RestorePod"],
    notImplemented: [],
    events: "off",
    reservedCode: "UNKNOWN",
    stopMissing: "OK",
    createsInStoppedSandbox: false,
    filtersImages: true,
    reportsImageId: true,
    emptyId: "ID should not be empty",
    maxMessageBytes: 80 * mebibyte,
  },
};

/** The profile of a flavour. */
export function flavorProfile(name: FakeFlavor): FlavorProfile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile) return profile;
  const known = Object.keys(profiles).join(", ");
  throw new InvalidInputError({ field: "flavor", message: `expected one of ${known}`, value: name });
}

/** Which RPCs answer UNIMPLEMENTED, and with which words. */
export function unimplementedRpcs(
  profile: FlavorProfile,
  extra: readonly RpcName[],
  implemented: readonly RpcName[] | "all",
): (rpc: Rpc) => string | undefined {
  const unknown = new Set<RpcName>(implemented === "all" ? [] : profile.unknown);
  const notImplemented = new Set<RpcName>(implemented === "all" ? [] : profile.notImplemented);
  if (implemented !== "all") {
    for (const name of implemented) {
      unknown.delete(checkRpcName(name, "implemented"));
      notImplemented.delete(name);
    }
  }
  for (const name of extra) unknown.add(checkRpcName(name, "unimplemented"));
  return ({ name, service }) => {
    if (unknown.has(name)) return `unknown method ${name} for service runtime.v1.${service}`;
    if (notImplemented.has(name)) return `method ${name} not implemented`;
    return undefined;
  };
}
