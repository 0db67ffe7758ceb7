/**
 * The plain operator that the agent is compared with. It keeps one pod for each NodeTask, and assumes that nothing ever fails.
 *
 *     node plain.js
 *
 * @module
 */
import { CustomObjectsApi, KubeConfig, makeInformer, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import type { PodSandboxConfig } from "k8s-cri-client/proto";
import { ContainerState, ImageServiceDefinition, Long, RuntimeServiceDefinition } from "k8s-cri-client/proto";
import { createChannel, createClient } from "nice-grpc";
import { group, type NodeTask } from "../src/api/types.js";

const type = { group, version: "v1", plural: "nodetasks" };
const config = new KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(CustomObjectsApi);
const channel = createChannel(process.env.CONTAINER_RUNTIME_ENDPOINT ?? "");
const runtime = createClient(RuntimeServiceDefinition, channel);
const images = createClient(ImageServiceDefinition, channel);
/** Called with each container that has exited. */
const exits = new Map<string, (exitCode: number) => void>();
const pods = new Map<string, string>();

async function followExits(): Promise<void> {
  for await (const { containersStatuses } of runtime.getContainerEvents({})) {
    for (const { id, state, exitCode } of containersStatuses) {
      if (state === ContainerState.CONTAINER_EXITED) exits.get(id)?.(exitCode);
    }
  }
}

async function run(task: NodeTask): Promise<void> {
  const { name = "", namespace = "", uid = "" } = task.metadata ?? {};
  // The tasks of the benchmark use nothing else.
  const [container] = (task.spec.template.spec as { containers: { image: string; command: string[] }[] }).containers;
  if (!container) return;
  const sandboxConfig = podConfig(name, namespace, uid);
  const { podSandboxId } = await runtime.runPodSandbox({ config: sandboxConfig });
  pods.set(uid, podSandboxId);
  const { image } = await images.imageStatus({ image: { image: container.image } });
  const containerConfig = {
    metadata: { name: "main" },
    image: { image: image?.id ?? "", userSpecifiedImage: container.image },
    command: container.command,
  };
  const { containerId } = await runtime.createContainer({ podSandboxId, config: containerConfig, sandboxConfig });
  const exit = new Promise<number>((resolve) => exits.set(containerId, resolve));
  await runtime.startContainer({ containerId });
  await report(task, { running: 1, ready: 1 });
  if ((await exit) === 0) await report(task, { succeeded: 1 });
  else await report(task, { failed: 1 });
  exits.delete(containerId);
}

async function report({ metadata }: NodeTask, counts: object): Promise<void> {
  const zeros = { updated: 1, ready: 0, running: 0, succeeded: 0, failed: 0 };
  const status = { observedGeneration: metadata?.generation, nodes: 1, ...zeros, ...counts, conditions: [] };
  const { namespace = "default", name = "" } = metadata ?? {};
  const options = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
  await api.patchNamespacedCustomObjectStatus({ ...type, namespace, name, body: { status } }, options);
}

async function remove({ metadata }: NodeTask): Promise<void> {
  const podSandboxId = pods.get(metadata?.uid ?? "");
  if (podSandboxId === undefined) return;
  pods.delete(metadata?.uid ?? "");
  const { containers } = await runtime.listContainers({ filter: { podSandboxId } });
  for (const { id } of containers) await runtime.stopContainer({ containerId: id, timeout: Long.ZERO });
  await runtime.stopPodSandbox({ podSandboxId });
  await runtime.removePodSandbox({ podSandboxId });
}

function podConfig(name: string, namespace: string, uid: string): PodSandboxConfig {
  const hostNetwork = { network: 2, pid: 1, ipc: 1 };
  return {
    metadata: { name, namespace, uid, attempt: 0 },
    logDirectory: `${process.env.LOG_DIRECTORY}/${name}`,
    linux: { securityContext: { namespaceOptions: hostNetwork } },
  } as PodSandboxConfig;
}

const fail = (error: unknown) => {
  console.error(error);
  process.exit(1);
};
const list = () => api.listClusterCustomObject(type);
const informer = makeInformer<NodeTask>(config, `/apis/${group}/v1/nodetasks`, list);
informer.on("add", (task) => void run(task).catch(fail));
informer.on("delete", (task) => void remove(task).catch(fail));
informer.on("error", fail);
void followExits().catch(fail);
await informer.start();
console.log("started");
