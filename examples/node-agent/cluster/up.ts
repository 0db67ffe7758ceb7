/** @module */
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, labVersions, prepareLab, startLab } from "../../../test/runtime/lab/lab.js";
import { configureRegistry } from "../../../test/runtime/lab/registry.js";
import { Api, tasks } from "../src/api/api.js";
import { nameOf } from "../src/api/types.js";
import type { ApiServerKind } from "./api-server.js";
import { Cluster } from "./cluster.js";
import { crdServerProgram } from "./crd-server.js";
import { etcdProgram } from "./etcd.js";
import { fullServerPrograms } from "./full-server.js";
import { kubectlProgram } from "./kubectl.js";
import { signals, stopSignal } from "./signals.js";
import { step } from "./step.js";

/** The name of the lab's registry in manifests. Its address differs from lab to lab. */
const registry = "registry.example";
/** How long agents have to remove the pods of all tasks. */
const removalMs = 20_000;

/** Runs a cluster until SIGINT, SIGTERM or SIGHUP. */
export async function up(kind: ApiServerKind): Promise<void> {
  // Nothing is running yet, so that a signal ends the process at once.
  const abort = () => process.exit(130);
  for (const name of signals) process.on(name, abort);
  const kubectl = await prepare(kind);
  const stopped = stopSignal();
  for (const name of signals) process.off(name, abort);
  const lab = await step(`Start containerd ${labVersions.join(", ")} and an image registry`, () =>
    startLab({ manual: true, stopOnSignal: false }),
  );
  await using _lab = { [Symbol.asyncDispose]: () => lab.stop() };
  await configureRegistry(lab.registriesFolder, lab.registry.address, registry);
  await using cluster = await step("Start etcd, the API server, the controller and three agents", () =>
    Cluster.start(kind, lab.instances),
  );
  await print(cluster, lab, kubectl);
  // A promise alone does not keep the process running.
  const timer = setInterval(() => {}, 2 ** 30);
  await stopped;
  clearInterval(timer);
  await step("Remove all tasks", () => removeTasks(cluster));
  console.log("Stop the cluster …");
}

/** Downloads and builds all programs, and returns the path of kubectl. */
async function prepare(kind: ApiServerKind): Promise<string> {
  await step("Fetch containerd, runc and the images", () => prepareLab());
  await step("Fetch etcd", () => etcdProgram());
  if (kind === "full") {
    await step("Build Kubernetes 1.20 (the first time, this takes about five minutes)", fullServerPrograms);
  } else {
    await step(
      "Build the server of custom resources (the first time, this takes about three minutes)",
      crdServerProgram,
    );
  }
  return await step("Fetch kubectl", () => kubectlProgram());
}

async function print(cluster: Cluster, lab: Lab, kubectl: string): Promise<void> {
  const kubeconfig = join(cluster.folder, "kubeconfig");
  await writeFile(kubeconfig, await cluster.server.kubeconfig(), { mode: 0o600 });
  const nodes = cluster.nodes.map(({ name, agent }, index) => {
    const runtime = `containerd ${lab.instances[index]?.version}`;
    return `  ${name}   ${runtime.padEnd(18)}   ${agent?.url}/metrics`;
  });
  console.log(`
The cluster is up, with these nodes:

${nodes.join("\n")}

In another terminal:

  export KUBECONFIG=${kubeconfig}
  export PATH=${dirname(kubectl)}:$PATH
  kubectl get nodetasks

Pods can use the images ${registry}/busybox:1 and ${registry}/busybox:2.
The agents and the controller write their logs to ${join(cluster.folder, "*/log")}.
Ctrl+C removes everything.`);
}

/** Deletes all tasks, and waits until the agents have removed their pods. */
async function removeTasks({ admin }: Cluster): Promise<void> {
  const api = new Api(admin);
  for (const deadline = Date.now() + removalMs; Date.now() < deadline; await sleep(200)) {
    const { items } = await api.list(tasks, {});
    if (items.length === 0) return;
    for (const task of items) await api.delete(tasks, nameOf(task));
  }
  console.warn(`  some tasks are left after ${removalMs / 1_000} s; their containers end with the runtimes`);
}
