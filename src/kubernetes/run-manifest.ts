import type { CriClient } from "../client.js";
import { callOptionFields, checkOptions, type FieldsOf } from "../input/call-options.js";
import { refuse } from "../input/check.js";
import { pinDeadline } from "../rpcs/budget.js";
import { asWorkflow } from "../tracing/workflow.js";
import type { KubernetesObjects } from "./manifest/objects.js";
import { describeNode } from "./node/describe-node.js";
import type { NodeOverrides } from "./node/node-overrides.js";
import { type PlanOptions, planPod } from "./planning/plan-pod.js";
import { checkObjects } from "./reading/check-objects.js";
import { readManifests } from "./reading/read-manifests.js";
import type { Manifests } from "./reading/reader.js";
import { type RunPlanOptions, runPod } from "./running/run-pod.js";
import type { RunningPod } from "./running/running-pod.js";

/** Options of {@link runManifest}. */
export interface RunManifestOptions extends RunPlanOptions, Omit<PlanOptions, "node"> {
  /** Settings of the node that replace those that `describeNode` finds. @defaultValue none */
  node?: NodeOverrides | undefined;
}

const runManifestFields: FieldsOf<RunManifestOptions> = {
  node: true,
  objects: true,
  tokens: true,
  auth: true,
  ...callOptionFields,
};

/**
 * Reads a manifest with one pod and the objects that the pod refers to, plans the pod for this node, and runs it: the same as
 * `readManifests`, `planPod` and `plan.run` together.
 *
 * ```ts
 * await using web = await runManifest(cri, await readFile("web.yaml", "utf8"));
 * await web.waitReady({ timeoutMs: 60_000 });
 * ```
 *
 * @throws InvalidManifestError with all faults of the manifest; InvalidInputError if it does not have exactly one pod; CriError
 */
export function runManifest(
  cri: CriClient,
  manifest: string | Uint8Array | object,
  options?: RunManifestOptions,
): Promise<RunningPod> {
  return traced(cri, manifest, options);
}

const traced = asWorkflow(
  {
    name: "runManifest",
    result: ({ name, namespace, uid }) => ({ podName: name, podNamespace: namespace, podUid: uid }),
  },
  readAndRun,
);

async function readAndRun(
  cri: CriClient,
  manifest: string | Uint8Array | object,
  options: RunManifestOptions = {},
): Promise<RunningPod> {
  checkOptions(options, runManifestFields);
  const { node: given, objects, tokens, ...runOptions } = pinDeadline(options);
  const { pods, objects: found } = readManifests(manifest);
  const added = checkObjects(objects);
  const [pod] = pods;
  if (!pod || pods.length > 1) {
    refuse(
      "manifest",
      `must have exactly one pod, got ${pods.length}; run others by readManifests, planPod and plan.run`,
    );
  }
  const { auth: _, ...callOptions } = runOptions;
  const node = await describeNode(cri, given, callOptions);
  return runPod(cri, planPod(pod, { node, objects: merge(found, added), tokens }), runOptions);
}

/** Adds the objects of the caller to those of the manifest. Of several with one name, the last one applies. */
function merge(found: Manifests["objects"], added: Manifests["objects"]): KubernetesObjects {
  return {
    configMaps: [...found.configMaps, ...added.configMaps],
    secrets: [...found.secrets, ...added.secrets],
    serviceAccounts: [...found.serviceAccounts, ...added.serviceAccounts],
    runtimeClasses: [...found.runtimeClasses, ...added.runtimeClasses],
    services: [...found.services, ...added.services],
  };
}
