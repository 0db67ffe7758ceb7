// Manifests: objects of the official typings are accepted, and ours are checked.
import type { V1ConfigMap, V1Deployment, V1Pod, V1PodList } from "@kubernetes/client-node";
import { type PodManifest, readManifestFiles, readManifests, withDefaults } from "k8s-cri-client/kubernetes";

declare const pod: V1Pod;
declare const deployment: V1Deployment;
declare const configMap: V1ConfigMap;
declare const list: V1PodList;
export const official = [
  readManifests(pod),
  readManifests([pod, deployment, configMap]),
  readManifests(list, { namespace: "team", unknownKinds: "ignore" }),
  readManifests("kind: Pod"),
  readManifests(Buffer.from("kind: Pod")),
];
export const files = readManifestFiles(["a.yaml", new URL("file:///b.yaml")], { signal: AbortSignal.timeout(1) });

export const typed: PodManifest = withDefaults({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: undefined },
  spec: { containers: [{ name: "web", image: "nginx", ports: [{ containerPort: 80, protocol: "TCP" }] }] },
});

// @ts-expect-error The field does not exist.
export const misspelt: PodManifest["spec"] = { containers: [], restartPolicys: "Always" };

// @ts-expect-error A container needs an image.
export const imageless: PodManifest["spec"] = { containers: [{ name: "web" }] };

// @ts-expect-error A number is no manifest.
readManifests(5);
