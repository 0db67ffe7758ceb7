/**
 * The pod that all clients create: in the node's network, with a container that sleeps.
 *
 * @module
 */
import type { ContainerSpec, PodSpec } from "k8s-cri-client";
import type { ContainerConfig, PodSandboxConfig } from "k8s-cri-client/proto";
import { readContainerSpec } from "../../src/specs/container-config.js";
import { toPodSandboxConfig } from "../../src/specs/pod-config.js";

/** The namespace of the benchmark's pods. Nothing else uses it. */
export const namespace = "bench-lifecycle";

export const podSpec = (name: string): PodSpec => ({ name, namespace, hostNetwork: true });

export const containerSpec = (image: string): ContainerSpec => ({ name: "main", image, command: ["sleep", "600"] });

/** The pod as a CRI message, for clients without specs. */
export const podConfig = (name: string): PodSandboxConfig => toPodSandboxConfig(podSpec(name)).config;

/** @param id image id, for clients that called ImageStatus */
export const containerConfig = (image: string, pod: PodSandboxConfig, id?: string): ContainerConfig =>
  readContainerSpec(containerSpec(image)).complete({ pod, image: id }).config;

/**
 * Formats a message as crictl parses it: field names as in the schema, enums as numbers. Leaves out empty lists, because crictl
 * expects other names for some of them. 64-bit numbers are not supported: the messages of the benchmark contain none.
 */
export function fileFor(config: PodSandboxConfig | ContainerConfig): string {
  return JSON.stringify(config, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const present = Object.entries(value).filter(([, field]) => !Array.isArray(field) || field.length > 0);
    return Object.fromEntries(present.map(([key, field]) => [schemaName(key), field]));
  });
}

const schemaName = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
