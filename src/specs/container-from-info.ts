import { ContainerConfig } from "../proto.js";

/**
 * The config of a container that somebody else made, from the verbose info of its status. containerd puts it there as Go writes
 * its structs: proto field names, and the values of the environment as plain text rather than base64. CRI-O does not tell.
 *
 * @returns undefined where the runtime does not tell
 */
export function containerConfigFromInfo(info: Readonly<Record<string, string>>): ContainerConfig | undefined {
  try {
    const { config } = JSON.parse(info.info ?? "{}") as { config?: { envs?: unknown; metadata?: unknown } };
    if (typeof config?.metadata !== "object") return undefined;
    const envs = Array.isArray(config.envs) ? config.envs.map(toProtoJson) : [];
    return ContainerConfig.fromJSON({ ...config, envs });
  } catch {
    return undefined;
  }
}

function toProtoJson(entry: { key?: unknown; value?: unknown }) {
  const text = typeof entry.value === "string" ? entry.value : "";
  return { key: entry.key, value: Buffer.from(text, "utf8").toString("base64") };
}
