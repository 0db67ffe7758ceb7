/**
 * The pod that everyone makes: in the node's network, with a container that sleeps.
 *
 * @module
 */
import type { ContainerSpec, PodSpec } from "k8s-cri-client";
import type { ContainerConfig, PodSandboxConfig } from "k8s-cri-client/proto";
import { readContainerSpec } from "../../src/specs/container-config.js";
import { toPodSandboxConfig } from "../../src/specs/pod-config.js";

/** All pods are in it, and no others. */
export const namespace = "bench-lifecycle";

export const podSpec = (name: string): PodSpec => ({ name, namespace, hostNetwork: true });

export const containerSpec = (image: string): ContainerSpec => ({ name: "main", image, command: ["sleep", "600"] });

/** The same as the wire has it, for those who have to write it themselves. */
export const podConfig = (name: string): PodSandboxConfig => toPodSandboxConfig(podSpec(name)).config;

/** @param id of the image, for those who have asked for it */
export const containerConfig = (image: string, pod: PodSandboxConfig, id?: string): ContainerConfig =>
  readContainerSpec(containerSpec(image)).complete({ pod, image: id }).config;

/**
 * As crictl reads it: names as in the schema, enums as numbers. Lists that are empty are left out, for some have names that do not
 * follow the rule. Nothing here has a 64-bit number.
 */
export function fileFor(config: PodSandboxConfig | ContainerConfig): string {
  return JSON.stringify(config, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const present = Object.entries(value).filter(([, field]) => !Array.isArray(field) || field.length > 0);
    return Object.fromEntries(present.map(([key, field]) => [schemaName(key), field]));
  });
}

const schemaName = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
