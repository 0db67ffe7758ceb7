import type { FlavorProfile } from "../flavors/profile.js";
import type { HandlerContext } from "../handlers.js";

/**
 * The middle of a creation. When the client goes away then, containerd gives up and cleans up; CRI-O carries on, so that the
 * client finds the result when it comes back.
 */
export function midway(context: HandlerContext, flavor: FlavorProfile): Promise<void> {
  return context.midway({ unattended: flavor.family === "cri-o" });
}
