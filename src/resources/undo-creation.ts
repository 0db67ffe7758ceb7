import { type CallOptions, undoTimeoutMs } from "../options.js";
import { cleanUpOptions } from "./clean-up.js";
import type { OwnedContainer } from "./container.js";
import type { Core } from "./core.js";
import { readMark } from "./creation-mark.js";
import { abandon } from "./reconcile.js";

/** The step that removes a container which a workflow has made in vain. If it fails, the next one of its name removes it. */
export function undoCreation(core: Core, container: OwnedContainer, caller: CallOptions): () => Promise<void> {
  return async () => {
    try {
      await container.remove(cleanUpOptions(core.connection, undoTimeoutMs, caller));
    } catch (error) {
      const mark = readMark(container.config);
      if (mark) abandon(mark, "half removed");
      throw error;
    }
  };
}
