import type { ServerError } from "nice-grpc-common";
import { CgroupDriver, type VersionResponse } from "../../proto.js";
import type { FlavorProfile } from "../flavors/profile.js";
import { type HandlersOf, rpcError } from "../handlers.js";
import type { RuntimeState } from "../state/runtime-state.js";

/** The properties that a runtime reports about itself. */
export interface SelfDescription {
  version: VersionResponse;
  runtimeHandlers: readonly string[];
  userNamespaces: boolean;
}

/** Handles Version, Status and the configuration RPCs. */
export function statusService(
  state: RuntimeState,
  flavor: FlavorProfile,
  self: SelfDescription,
): HandlersOf<"Version" | "Status" | "RuntimeConfig" | "UpdateRuntimeConfig"> {
  const reportsHandlers = flavor.name === "containerd-2" || flavor.family === "cri-o";
  return {
    Version: () => self.version,

    Status({ verbose }) {
      const conditions = [
        { type: "RuntimeReady", status: true },
        { type: "NetworkReady", status: true },
      ];
      if (flavor.name === "containerd-1.7" || flavor.name === "containerd-2") {
        conditions.push({ type: "ContainerdHasNoDeprecationWarnings", status: true });
      }
      // containerd 2 reports the sandbox image with the settings for images instead.
      const isOld = flavor.name === "containerd-1.6" || flavor.name === "containerd-1.7";
      const runtimes = self.runtimeHandlers.map((name) => [name, { options: { SystemdCgroup: false } }]);
      const config = {
        containerd: { defaultRuntimeName: self.runtimeHandlers[0], runtimes: Object.fromEntries(runtimes) },
        podCIDR: state.podCidr,
        ...(isOld && { sandboxImage: flavor.sandboxImage.reference }),
      };
      return {
        status: { conditions },
        info: verbose ? { golang: JSON.stringify("go1.24"), config: JSON.stringify(config) } : {},
        // The empty name is the default handler.
        runtimeHandlers: reportsHandlers
          ? ["", ...self.runtimeHandlers].map((name) => describeHandler(name, self))
          : [],
        ...(reportsHandlers && { features: { supplementalGroupsPolicy: true } }),
      };
    },

    RuntimeConfig: () => ({
      linux: { cgroupDriver: flavor.family === "cri-o" ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS },
    }),

    UpdateRuntimeConfig({ runtimeConfig }) {
      const cidr = runtimeConfig?.networkConfig?.podCidr ?? "";
      const isBad = cidr !== "" && !cidr.split(",").every((each) => /^[0-9a-f.:]+\/\d{1,3}$/i.test(each));
      if (isBad && flavor.family === "containerd") {
        throw rpcError("UNKNOWN", `get routes: invalid CIDR address: ${cidr}`);
      }
      state.podCidr = cidr;
      return {};
    },
  };
}

/** Creates the error of RunPodSandbox for a handler that does not exist. */
export function runtimeHandlerError(handler: string, podId: string, flavor: FlavorProfile): ServerError {
  const context = {
    "containerd-1.6": "failed to get sandbox runtime: ",
    "containerd-1.7": "failed to get sandbox runtime: ",
    "containerd-2": `unable to get OCI runtime for sandbox "${podId}": `,
    "cri-o": "failed to find runtime handler: ",
    "cri-dockerd": "failed to get sandbox runtime: ",
  }[flavor.name];
  return rpcError("UNKNOWN", `${context}no runtime for "${handler}" is configured`);
}

function describeHandler(name: string, { userNamespaces }: SelfDescription) {
  return { name, features: { recursiveReadOnlyMounts: true, userNamespaces } };
}
