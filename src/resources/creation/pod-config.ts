import { InvalidInputError } from "../../errors.js";
import { invalid } from "../../input/check.js";
import type { CallOptions } from "../../options.js";
import type { PodSandboxConfig } from "../../proto.js";
import { podSandboxStatus } from "../../rpcs/pods.js";
import { podConfigFromStatus } from "../../specs/pod-from-status.js";
import type { Connection } from "../../transport/connection.js";

/** The configuration of a pod, as an option. */
export type GivenPodConfig = PodSandboxConfig | "unknown" | undefined;

/** Refuses a pod configuration that CreateContainer cannot be sent with: containerd crashes without metadata. */
export function checkPodConfig(given: GivenPodConfig): void {
  if (given === undefined || given === "unknown") return;
  if (typeof given === "object" && given?.metadata) return;
  invalid("options.podConfig", 'must be a PodSandboxConfig with metadata, or "unknown"', given);
}

/**
 * The configuration of a pod, which CreateContainer must repeat: what the caller gives, else what the owning handle has, else what the
 * runtime reports or this package keeps in the pod's annotations.
 *
 * @throws InvalidInputError if the pod's settings are needed and not known
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
      `is required: the configuration of pod ${status.id} is not known, because ${incompleteBecause}; pass the PodSandboxConfig that the pod was ` +
      'created with, or "unknown" to create the container without the settings of the pod, such as its user: it may then run as root',
  });
}
