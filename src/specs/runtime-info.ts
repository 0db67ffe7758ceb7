/**
 * Reads the verbose info of Status. CRI does not specify it. containerd reports its configuration as JSON under `config`, and the
 * network configuration that it has loaded under `cniconfig`. Values of an unexpected type are treated as not reported.
 *
 * @module
 */
import { isRecord } from "../internal/record.js";

/** The verbose info of Status. */
export type RuntimeInfo = Readonly<Record<string, string>>;

/** Returns the cgroup driver of the default handler in the configuration of containerd. */
export function cgroupDriverIn({ config }: RuntimeInfo): "cgroupfs" | "systemd" | undefined {
  const parsed = parse(config);
  const containerd = at(parsed, "containerd");
  const name = at(containerd, "defaultRuntimeName");
  const handler = typeof name === "string" ? at(containerd, "runtimes", name) : undefined;
  const value = at(handler, "options", "SystemdCgroup") ?? at(parsed, "systemdCgroup");
  return typeof value === "boolean" ? (value ? "systemd" : "cgroupfs") : undefined;
}

/** Returns the directories of network configurations and of network plugins that containerd uses. */
export function cniDirectoriesIn({ config }: RuntimeInfo): { configuration: string[]; plugins: string[] } {
  const cni = at(parse(config), "cni");
  // Since containerd 2.1, binDirs replaces binDir.
  const plugins = [...strings(at(cni, "binDirs")), ...strings([at(cni, "binDir")])];
  return { configuration: strings([at(cni, "confDir")]), plugins };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isRecord(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
    value,
  );
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string" && item !== "") : [];
}
