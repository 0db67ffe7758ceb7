import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import { readYaml } from "./source/yaml-text.js";

/** What {@link readManifests} found. */
export interface Manifests {
  pods: readonly PodManifest[];
  /** The objects that pods refer to. */
  objects: Required<KubernetesObjects>;
}

/** Reads Kubernetes manifests. */
export function readManifests(input: string | object): Manifests {
  const values = typeof input === "string" ? [...readYaml(input)].map(({ value }) => value) : [input].flat();
  const found = values as { kind: string }[];
  const all = <T>(kind: string) => found.filter((value) => value.kind === kind) as T[];
  return {
    pods: all("Pod"),
    objects: {
      configMaps: all("ConfigMap"),
      secrets: all("Secret"),
      serviceAccounts: all("ServiceAccount"),
      runtimeClasses: all("RuntimeClass"),
      services: all("Service"),
    },
  };
}
