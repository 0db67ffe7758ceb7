import type { CriClient } from "../../client.js";
import type { CallOptions } from "../../options.js";
import { findCgroupDriver } from "../../resources/cgroup-driver.js";
import { contextOf } from "../running/context-of.js";

/** What the runtime says about a node. */
export interface RuntimeSettings {
  cgroupDriver: "cgroupfs" | "systemd";
  recursiveReadOnlyMounts: Record<string, boolean>;
}

/** Asks the runtime for its cgroup driver and the features of its handlers. The default driver is cgroupfs, as for a kubelet. */
export async function askRuntime(cri: CriClient, options: CallOptions | undefined): Promise<RuntimeSettings> {
  const { runtimeHandlers, info } = await cri.status({ ...options, verbose: true });
  return {
    cgroupDriver: (await findCgroupDriver(contextOf(cri).connection, info, options)) ?? "cgroupfs",
    recursiveReadOnlyMounts: Object.fromEntries(
      runtimeHandlers.map(({ name, features }) => [name, features?.recursiveReadOnlyMounts ?? false]),
    ),
  };
}
