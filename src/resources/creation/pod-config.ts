import { InvalidInputError } from "../../errors.js";
import { invalid } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import type { PodSandboxConfig } from "../../proto.js";
import { podSandboxStatus } from "../../rpcs/pods.js";
import { podConfigFromStatus } from "../../specs/pod-from-status.js";
import type { Connection } from "../../transport/connection.js";

/** The `podConfig` option. */
export type GivenPodConfig = PodSandboxConfig | "unknown" | undefined;

/** Refuses a pod configuration without metadata, which crashes containerd. @throws InvalidInputError */
export function checkPodConfig(given: GivenPodConfig): void {
  if (given === undefined || given === "unknown") return;
  if (typeof given === "object" && given?.metadata) return;
  invalid("options.podConfig", 'must be a PodSandboxConfig with metadata, or "unknown"', given);
}

/**
 * Returns the configuration of a pod, which CreateContainer must repeat. The first of these that exists applies: the caller's
 * option, the configuration of the owning handle, the configuration that the runtime reports, the one in the annotations that this
 * package adds to its pods.
 *
 * @throws InvalidInputError if none of these exists, unless the option is `"unknown"`
 */
export async function podConfigOf(
  connection: Connection,
  podSandboxId: string,
  { given, known }: { given: GivenPodConfig; known: PodSandboxConfig | undefined },
  options: CallOptions,
): Promise<PodSandboxConfig> {
  if (given !== undefined && given !== "unknown") return given;
  if (known) return known;
  const { status, info } = await podSandboxStatus(connection, podSandboxId, true, options);
  const { config, incompleteBecause } = podConfigFromStatus(status, info);
  if (incompleteBecause === undefined || given === "unknown") return config;
  throw new InvalidInputError({
    field: "options.podConfig",
    message:
      `is required: the configuration of pod ${status.id} is not known, because ${incompleteBecause}; ` +
      'pass the PodSandboxConfig that the pod was created with, or "unknown" to create the container without the settings ' +
      "of the pod, such as its user: it may then run as root",
  });
}
