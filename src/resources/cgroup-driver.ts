import { CriError } from "../errors.js";
import type { CallOptions } from "../options.js";
import { CgroupDriver } from "../proto.js";
import { runtimeConfig } from "../rpcs/runtime.js";
import { cgroupDriverIn, type RuntimeInfo } from "../specs/runtime-info.js";
import type { Connection } from "../transport/connection.js";

/**
 * Returns the cgroup driver of the runtime. Runtimes without RuntimeConfig, such as containerd 1.7, report it in the verbose info of
 * Status, or not at all.
 *
 * @param info the verbose info of Status
 */
export async function findCgroupDriver(
  connection: Connection,
  info: RuntimeInfo,
  options: CallOptions | undefined,
): Promise<"cgroupfs" | "systemd" | undefined> {
  try {
    const { linux } = await runtimeConfig(connection, options);
    if (linux) return linux.cgroupDriver === CgroupDriver.CGROUPFS ? "cgroupfs" : "systemd";
  } catch (error) {
    if (!CriError.is(error, "UNIMPLEMENTED")) throw error;
  }
  return cgroupDriverIn(info);
}
