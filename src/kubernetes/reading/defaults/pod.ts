import type { ContainerManifest } from "../../manifest/container.js";
import type { PodManifest, PodManifestSpec } from "../../manifest/pod.js";
import { containerWithDefaults } from "./container.js";
import { podResourcesWithDefaults } from "./resources.js";
import { volumeWithDefaults } from "./volume.js";

/** Fills in the defaults of a pod without faults. */
export function podWithDefaults(pod: PodManifest): PodManifest {
  const { spec } = pod;
  const containerDefaults = (container: ContainerManifest) =>
    containerWithDefaults(container, spec.hostNetwork === true);
  const withContainers: PodManifest = {
    ...pod,
    metadata: { ...pod.metadata, namespace: pod.metadata.namespace ?? "default" },
    spec: {
      ...specDefaults,
      ...withoutUndefined(spec),
      containers: spec.containers.map(containerDefaults),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(containerDefaults) }),
      ...(spec.volumes && { volumes: spec.volumes.map(volumeWithDefaults) }),
    },
  };
  const resources = podResourcesWithDefaults(withContainers);
  return resources ? { ...withContainers, spec: { ...withContainers.spec, resources } } : withContainers;
}

const specDefaults = {
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  dnsPolicy: "ClusterFirst",
  enableServiceLinks: true,
  securityContext: {},
} satisfies Partial<PodManifestSpec>;

/** Removes fields that are set to undefined, which would replace a default. */
export function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}
