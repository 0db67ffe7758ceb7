import { parseExactly } from "../json/exact-json.js";
import { messageFromGoJson } from "../json/go-json.js";
import { ContainerConfig } from "../proto.js";

/**
 * Reads the configuration of a container that another program created from the verbose info of its status. containerd reports it
 * in Go's JSON; CRI-O and cri-dockerd do not report it.
 *
 * @returns `undefined` where the runtime does not report it
 */
export function containerConfigFromInfo(info: Readonly<Record<string, string>>): ContainerConfig | undefined {
  try {
    const { config } = parseExactly(info.info ?? "{}") as { config?: unknown };
    const message = messageFromGoJson(ContainerConfig, config, { ignoreUnknownFields: true });
    return message.metadata === undefined ? undefined : message;
  } catch {
    return undefined;
  }
}
