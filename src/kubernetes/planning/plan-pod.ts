import { checkOptions, type FieldsOf } from "../../input/call-options.js";
import { list, optionalString, requiredString } from "../../input/check.js";
import { ObjectReader } from "../../input/object-reader.js";
import { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { KubernetesObjects } from "../manifest/objects.js";
import type { PodManifest } from "../manifest/pod.js";
import type { NodeConfig } from "../node/node-config.js";
import { checkNode } from "../node/node-overrides.js";
import { checkObjects } from "../reading/check-objects.js";
import { checkPod } from "../reading/check-pod.js";
import { podWithDefaults } from "../reading/defaults/pod.js";
import { configureContainer } from "./container-config.js";
import { hostnameOf } from "./hostname.js";
import { documentHash, podUid } from "./identity.js";
import { placeholderFacts } from "./placeholder-facts.js";
import { namespaceOf, type ServiceAccountToken } from "./pod-context.js";
import { userNamespaceOf } from "./pod-namespaces.js";
import { PodPlan } from "./pod-plan.js";
import { podResourcesOf } from "./pod-resources.js";
import { pullSecretsOf } from "./pull-secrets.js";
import { qosClassOf } from "./qos-class.js";
import { runtimeClassOf } from "./runtime-class.js";
import { type MessageContext, sandboxConfig } from "./sandbox-config.js";
import { volumesOf } from "./volumes.js";

/** Options of {@link planPod}. */
export interface PlanOptions {
  /** The node that the pod will run on. */
  node: NodeConfig;
  /** The objects that the pod refers to. @defaultValue none */
  objects?: KubernetesObjects | undefined;
  /** Tokens for `serviceAccountToken` sources of projected volumes. @defaultValue none */
  tokens?: readonly ServiceAccountToken[] | undefined;
}

const fields: FieldsOf<PlanOptions> = { node: true, objects: true, tokens: true };

/**
 * Plans a pod: computes everything that a kubelet would do for it on this node, without any I/O. The same arguments give the same
 * plan. Later changes of the arguments do not affect it.
 *
 * @throws InvalidManifestError with all faults: those of the pod itself, else missing objects and keys, and settings that the node
 * does not allow
 */
export function planPod(manifest: PodManifest, options: PlanOptions): PodPlan {
  checkOptions(options, fields);
  const node = checkNode((options as PlanOptions | undefined)?.node as NodeConfig, "node");
  const objects = checkObjects(options.objects);
  const tokens = list(options.tokens, "tokens", readToken);
  const pod = podWithDefaults(checkPod(manifest));
  const faults = new ManifestFaults();
  const hash = documentHash(pod);
  const uid = podUid(pod, hash);
  const { runtimeHandler, overhead } = runtimeClassOf(pod, objects, faults);
  const resources = podResourcesOf(pod, overhead);
  const context: MessageContext = {
    pod,
    node,
    objects,
    tokens,
    hash,
    uid,
    podDirectory: `${node.rootDirectory}/pods/${uid}`,
    logDirectory: `${node.podLogsDirectory}/${namespaceOf({ pod })}_${pod.metadata.name}_${uid}`,
    ...hostnameOf(pod, node),
    runtimeHandler,
    podMemoryLimitBytes: resources.limits.get("memory"),
    userNamespace: userNamespaceOf(pod, node, hash),
    resources,
    qosClass: qosClassOf(resources),
  };
  const volumes = volumesOf(context, faults);
  const pullSecrets = pullSecretsOf(context, faults);
  faults.collect(() => sandboxConfig(context, 0));
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    faults.collect(() => configureContainer(context, container, volumes, placeholderFacts));
  }
  faults.throwIfAny();
  return new PodPlan(context, volumes, pullSecrets);
}

function readToken(given: ServiceAccountToken, field: string): ServiceAccountToken {
  const token = new ObjectReader(given, field, { audience: true, token: true });
  return { audience: token.optional("audience", optionalString), token: token.read("token", requiredString) };
}
