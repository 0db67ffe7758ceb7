import type { FlavorProfile } from "../flavors.js";
import type { HandlerContext } from "../handlers.js";
import { CallAborted } from "../wire/incoming-call.js";

/**
 * The middle of a creation. When the client has gone away by then, containerd gives up and cleans up; CRI-O carries on, so
 * that the client finds the result when it comes back.
 */
export async function midway(context: HandlerContext, flavor: FlavorProfile): Promise<void> {
  try {
    await context.midway();
  } catch (error) {
    const carriesOn = flavor.family === "cri-o" && error instanceof CallAborted && error.why !== "killed";
    if (!carriesOn) throw error;
  }
}
