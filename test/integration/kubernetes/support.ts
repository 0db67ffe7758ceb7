import { onTestFinished } from "vitest";
import type { CriClient } from "../../../src/index.js";
import {
  type NodeConfig,
  type PodManifestSpec,
  type PodPlan,
  planPod,
  type RunningPod,
  readManifests,
} from "../../../src/kubernetes/index.js";
import type { FakeRuntime, FakeRuntimeOptions } from "../../../src/testing/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { startFake } from "../support.js";

/** A manifest whose name does not matter. */
export function podOf(spec: PodManifestSpec, name = "web"): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

/** What a test of a running pod needs. */
export interface Started {
  runtime: FakeRuntime;
  cri: CriClient;
  node: NodeConfig;
  plan: PodPlan;
  pod: RunningPod;
}

/** Runs a pod on a fake runtime. It is removed after the test. */
export async function startPod(
  spec: PodManifestSpec,
  { fake = {}, node: changes = {} }: { fake?: FakeRuntimeOptions; node?: Partial<NodeConfig> } = {},
): Promise<Started> {
  const { runtime, cri } = await startFake(fake);
  const { node, ...at } = await temporaryNode(changes);
  onTestFinished(() => at[Symbol.asyncDispose]());
  const plan = planOf(spec, node);
  const pod = await plan.run(cri);
  onTestFinished(() => pod.dispose());
  return { runtime, cri, node, plan, pod };
}

/** Plans a pod. */
export function planOf(spec: PodManifestSpec, node: NodeConfig, name?: string): PodPlan {
  const [manifest] = readManifests(podOf(spec, name)).pods;
  return planPod(manifest!, { node });
}
