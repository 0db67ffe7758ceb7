import type { FlavorProfile } from "../flavors/profile.js";
import type { HandlerContext } from "../handlers.js";

/**
 * Injects the faults of the phase `duringEffect` into a creation. If the client disconnects in this phase, containerd cancels the
 * creation and cleans up. CRI-O completes it, so that the client finds the result later.
 */
export function duringCreation(context: HandlerContext, flavor: FlavorProfile): Promise<void> {
  return context.duringEffect({ survivesClient: flavor.family === "cri-o" });
}
