import { InvalidInputError } from "../errors.js";
import { containerd2, containerd16, containerd17 } from "./flavors/containerd.js";
import { criDockerd } from "./flavors/cri-dockerd.js";
import { crio } from "./flavors/crio.js";
import type { FakeFlavor, FlavorProfile } from "./flavors/profile.js";
import { checkRpcName, type Rpc, type RpcName } from "./rpcs.js";

const profiles: Readonly<Record<FakeFlavor, FlavorProfile>> = {
  "containerd-1.6": containerd16,
  "containerd-1.7": containerd17,
  "containerd-2": containerd2,
  "cri-o": crio,
  "cri-dockerd": criDockerd,
};

/** The names of all flavours. */
export const fakeFlavors = Object.keys(profiles) as readonly FakeFlavor[];

/** Returns the profile of a flavour. @throws InvalidInputError for an unknown flavour */
export function flavorProfile(name: FakeFlavor): FlavorProfile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile) return profile;
  const known = Object.keys(profiles).join(", ");
  throw new InvalidInputError({ field: "flavor", message: `expected one of ${known}`, value: name });
}

/** Returns a function that gives the error message of an RPC that fails with UNIMPLEMENTED, and undefined for the others. */
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
