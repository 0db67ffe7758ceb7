import { pullSecretKeys } from "../../specs/credentials/pull-secret.js";
import type { ManifestFaults } from "../manifest/invalid-manifest-error.js";
import type { SecretManifest } from "../manifest/objects.js";
import { findNamed } from "./named-object.js";
import { namespaceOf, type PodContext } from "./pod-context.js";
import type { PullSecret } from "./pod-plan-types.js";

/**
 * Returns the pull secrets of a pod, else those of its service account. Missing secrets and secrets of other types become faults,
 * because a pull without them would silently be anonymous.
 */
export function pullSecretsOf(context: PodContext, faults: ManifestFaults): PullSecret[] {
  const { pod, objects } = context;
  const namespace = namespaceOf(context);
  const own = pod.spec.imagePullSecrets ?? [];
  const account = findNamed(objects.serviceAccounts, namespace, pod.spec.serviceAccountName || "default");
  const path = own.length > 0 ? "spec.imagePullSecrets" : "spec.serviceAccountName";
  const references = own.length > 0 ? own : (account?.imagePullSecrets ?? []);
  return references.flatMap(({ name }, index) => {
    const field = own.length > 0 ? `${path}[${index}].name` : path;
    const secret = findNamed(objects.secrets, namespace, name);
    if (secret === undefined) {
      faults.add(field, `the pull secret ${name} is not among the objects; add it`, {
        kind: "Secret",
        namespace,
        name,
      });
      return [];
    }
    return read(secret, field, faults);
  });
}

function read(secret: SecretManifest, field: string, faults: ManifestFaults): PullSecret[] {
  const { name } = secret.metadata;
  const type = secret.type ?? "Opaque";
  if (type !== "kubernetes.io/dockerconfigjson" && type !== "kubernetes.io/dockercfg") {
    faults.add(field, `the secret ${name} must have the type ${Object.keys(pullSecretKeys).join(" or ")}, got ${type}`);
    return [];
  }
  const key = pullSecretKeys[type];
  // Secrets of these types have the key: they were checked.
  const document = secret.stringData?.[key] ?? Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  return [{ name, type, document }];
}
