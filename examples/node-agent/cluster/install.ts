/**
 * Installs the custom resources and the rights of the agent on an API server for tests.
 *
 * @module
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  ApiextensionsV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  loadYaml,
  PatchStrategy,
} from "@kubernetes/client-node";
import type { ApiServer } from "./api-server.js";
import { kubectl } from "./kubectl.js";

export const systemNamespace = "node-task-system";

const deploy = fileURLToPath(new URL("../deploy/", import.meta.url));

/** A folder of `deploy` that kustomize reads. */
export type Kustomization = "base" | "overlays/kubernetes-1.30";

/** Installs the agent as its guide says. Without nodes that have a kubelet, no workload runs. Returns an administrator's configuration. */
export async function install(server: ApiServer, kustomization: Kustomization = "base"): Promise<KubeConfig> {
  const config = configOf(await server.kubeconfig());
  if (server.kind === "crds") {
    await applyAll(config, [...standIns, ...(await definitionsOf(kustomization))]);
  } else {
    await kubectl(["apply", "--server-side", "-k", join(deploy, kustomization)], server);
    await established(config, await definitionsOf(kustomization));
  }
  return config;
}

/** Removes what {@link install} has installed. */
export async function uninstall(server: ApiServer): Promise<void> {
  await kubectl(["delete", "nodetasks", "--all", "--all-namespaces"], server);
  await kubectl(["delete", "-k", join(deploy, "base")], server);
}

async function definitionsOf(kustomization: Kustomization): Promise<KubernetesObject[]> {
  const objects = loadAllYaml(await kubectl(["kustomize", join(deploy, kustomization)])) as KubernetesObject[];
  return objects.filter(({ kind }) => kind === "CustomResourceDefinition");
}

/** A configuration with the rights of a service account, and no others. The server for custom resources only has no accounts. */
export async function asAccount(server: ApiServer, admin: KubeConfig, name: string): Promise<string> {
  if (server.kind === "crds") return await server.kubeconfig();
  const core = admin.makeApiClient(CoreV1Api);
  const body = { spec: { audiences: [], expirationSeconds: 36_000 } };
  const { status } = await core.createNamespacedServiceAccountToken({ name, namespace: systemNamespace, body });
  return await server.kubeconfig(status?.token);
}

export function configOf(kubeconfig: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  return config;
}

async function applyAll(config: KubeConfig, objects: readonly KubernetesObject[]): Promise<void> {
  const client = KubernetesObjectApi.makeApiClient(config);
  const manager = "node-task-install";
  for (const object of objects) {
    await client.patch(object, undefined, undefined, manager, true, PatchStrategy.ServerSideApply);
  }
  await established(config, objects);
}

/** Waits until the API server serves all custom resources. */
async function established(config: KubeConfig, definitions: readonly KubernetesObject[]): Promise<void> {
  const api = config.makeApiClient(ApiextensionsV1Api);
  const deadline = Date.now() + 30_000;
  for (const { metadata } of definitions) {
    const name = metadata?.name ?? "";
    const isServed = async () =>
      (await api.readCustomResourceDefinition({ name })).status?.conditions?.some(
        ({ type, status }) => type === "Established" && status === "True",
      );
    while (!(await isServed())) {
      if (Date.now() > deadline) throw new Error(`the API server does not serve ${name} after 30 s`);
      await sleep(50);
    }
  }
}

/** What the server for custom resources only lacks. */
const standIns: KubernetesObject[] = [
  standIn("coordination.k8s.io", "Lease", "leases"),
  standIn("events.k8s.io", "Event", "events"),
];

function standIn(group: string, kind: string, plural: string): KubernetesObject {
  // Server-side apply needs the fields that it merges to be declared.
  const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const schema = { openAPIV3Schema: { ...anything, properties: { spec: anything } } };
  const definition = {
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    metadata: {
      name: `${plural}.${group}`,
      annotations: { "api-approved.kubernetes.io": "unapproved, for tests only" },
    },
    spec: {
      ...{ group, scope: "Namespaced", names: { kind, plural, singular: kind.toLowerCase() } },
      versions: [{ name: "v1", served: true, storage: true, schema }],
    },
  };
  // client-node has names of its own for some fields of a schema. Its reader of YAML knows both.
  return loadYaml(JSON.stringify(definition));
}
