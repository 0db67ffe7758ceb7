import type { CriClient } from "../../client.js";
import { CriError } from "../../errors.js";
import { isRecord } from "../../internal/record.js";
import type { CallOptions } from "../../options.js";
import { CgroupDriver } from "../../proto.js";

/** What the runtime says about a node. */
export interface RuntimeSettings {
  cgroupDriver: "cgroupfs" | "systemd";
  recursiveReadOnlyMounts: Record<string, boolean>;
}

/**
 * Asks the runtime for its cgroup driver and the features of its handlers. Runtimes without RuntimeConfig, such as containerd 1.7,
 * report the driver in the verbose info of Status. If they do not, it is cgroupfs, as for a kubelet.
 */
export async function askRuntime(cri: CriClient, options: CallOptions | undefined): Promise<RuntimeSettings> {
  const { runtimeHandlers, info } = await cri.status({ ...options, verbose: true });
  const driver = (await configuredDriver(cri, options)) ?? driverInInfo(info.config);
  return {
    cgroupDriver: driver ?? "cgroupfs",
    recursiveReadOnlyMounts: Object.fromEntries(
      runtimeHandlers.map(({ name, features }) => [name, features?.recursiveReadOnlyMounts ?? false]),
    ),
  };
}

async function configuredDriver(
  cri: CriClient,
  options: CallOptions | undefined,
): Promise<"cgroupfs" | "systemd" | undefined> {
  try {
    const { linux } = await cri.runtimeConfig(options);
    if (linux) return linux.cgroupDriver === CgroupDriver.CGROUPFS ? "cgroupfs" : "systemd";
  } catch (error) {
    if (!CriError.is(error, "UNIMPLEMENTED")) throw error;
  }
  return undefined;
}

/** Finds the cgroup driver of the default handler in the configuration of containerd. */
export function driverInInfo(config: string | undefined): "cgroupfs" | "systemd" | undefined {
  const containerd = at(parse(config), "containerd");
  const name = at(containerd, "defaultRuntimeName");
  const runtime = typeof name === "string" ? at(at(containerd, "runtimes"), name) : undefined;
  const options = at(runtime, "options");
  const value = at(options, "SystemdCgroup") ?? at(parse(config), "systemdCgroup");
  return typeof value === "boolean" ? (value ? "systemd" : "cgroupfs") : undefined;
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}

function at(value: unknown, key: string): unknown {
  return isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
