import {
  type ContainerFacts,
  type ContainerManifest,
  InvalidManifestError,
  type NodeConfig,
  type PlanOptions,
  type PodManifest,
  type PodManifestSpec,
  type PodPlan,
  planPod,
} from "../../../../src/kubernetes/index.js";
import type { ContainerConfig, PodSandboxConfig } from "../../../../src/proto.js";
import { recordedNode } from "../../../support/kubelet-recordings.js";

type Given = Partial<Omit<PlanOptions, "node">> & {
  metadata?: Partial<PodManifest["metadata"]>;
  node?: Partial<NodeConfig>;
};

/** Plans the pod `web` with one container `main`, on the node of the recordings. */
export function planOf(spec: Partial<PodManifestSpec> = {}, { metadata, node, ...options }: Given = {}): PodPlan {
  const manifest: PodManifest = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", ...metadata },
    spec: { containers: [container({})], ...spec },
  };
  return planPod(manifest, { node: { ...recordedNode, ...node }, ...options });
}

/** A container of the image `app:1`. */
export function container(fields: Partial<ContainerManifest>): ContainerManifest {
  return { name: "main", image: "app:1", ...fields };
}

/** Facts of a run. */
export const facts: ContainerFacts = {
  podSandboxId: "sandbox",
  podIPs: ["10.88.0.5"],
  attempt: 0,
  image: { id: "sha256:1", uid: 0n },
  imageVolumes: {},
};

/** Returns the configuration of the sandbox. */
export function sandboxOf(plan: PodPlan): PodSandboxConfig {
  return plan.sandbox(0).config!;
}

/** Returns the configuration of a container; by default of the only one. */
export function configOf(plan: PodPlan, name = "main", given: Partial<ContainerFacts> = {}): ContainerConfig {
  return plan.containers.find((one) => one.name === name)!.config({ ...facts, ...given });
}

/** Plans a pod that has faults, and returns these as `path: message`. */
export function faultsOf(plan: () => unknown): string[] {
  try {
    plan();
  } catch (error) {
    if (error instanceof InvalidManifestError) return error.faults.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}
