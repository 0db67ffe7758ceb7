import { type CallOptions, rollbackTimeoutMs } from "../../options.js";
import type { OwnedContainer } from "../container.js";
import type { Core } from "../core.js";
import { cleanUpOptions } from "./clean-up.js";
import { readMark } from "./creation-mark.js";
import { abandon } from "./reconcile.js";

/** The step that removes a container which a workflow has made in vain. If it fails, the next one of its name removes it. */
export function rollbackCreation(core: Core, container: OwnedContainer, caller: CallOptions): () => Promise<void> {
  return async () => {
    try {
      await container.remove(cleanUpOptions(core.connection, rollbackTimeoutMs, caller));
    } catch (error) {
      const mark = readMark(container.config);
      if (mark) abandon(mark, "half removed");
      throw error;
    }
  };
}
