import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { type CleanUpStep, cleanUp } from "../../../bench/support/clean-up.js";
import type { ApiServer, ApiServerKind } from "../cluster/api-server.js";
import { Cluster } from "../cluster/cluster.js";
import { asAccount, systemNamespace } from "../cluster/install.js";
import { compile } from "../cluster/programs.js";
import { Api } from "../src/api/api.js";
import { Agents, addCounts } from "./agents.js";
import { Meter } from "./counters.js";
import { Observer } from "./observer.js";
import { startRuntime } from "./runtime.js";

/** A cluster with many agents. The first agent has a process of its own, as on a node; the others share some. */
export interface LargeCluster extends AsyncDisposable {
  nodeCount: number;
  server: ApiServer;
  admin: KubeConfig;
  api: Api;
  observer: Observer;
  /** All agents but the first. They begin to work with `agents.start()`. */
  agents: Agents;
  meter: Meter;
  /** Counts the pods on all nodes. */
  pods(): Promise<number>;
  /** What agents and the controller have complained about until now, by message. */
  troubles(): Promise<Record<string, number>>;
}

export async function startLargeCluster(kind: ApiServerKind, nodeCount: number): Promise<LargeCluster> {
  const steps: CleanUpStep[] = [];
  const dispose = () => cleanUp(steps);
  try {
    return { ...(await startParts(kind, nodeCount, steps)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startParts(kind: ApiServerKind, nodeCount: number, steps: CleanUpStep[]) {
  const own = <T extends AsyncDisposable>(part: T): T => {
    steps.push(async () => await part[Symbol.asyncDispose]());
    return part;
  };
  const [first = "", ...others] = nodeNames(nodeCount);
  const runtime = own(await startRuntime(first));
  const cluster = own(await Cluster.start(kind, [{ name: first, endpoint: runtime.endpoint }]));
  const { server, admin, nodes } = cluster;
  const api = new Api(admin);
  const observer = own(new Observer(api));
  const kubeconfig = await asAccount(server, admin, "node-task-agent");
  const setup = { kubeconfig, namespace: systemNamespace, folder: join(cluster.folder, "others"), nodes: others };
  const agents = own(await Agents.prepare(await compile("scale/worker.ts"), setup));
  const processes = () => [cluster.controller, ...nodes.flatMap(({ agent }) => agent ?? [])];
  const meter = new Meter(server, admin, () => {
    const [controller = 0, agent = 0] = processes().map(({ pid }) => pid);
    return { controller: [controller], agent: [agent], workers: agents.pids };
  });
  return {
    ...{ nodeCount, server, admin, api, observer, agents, meter },
    pods: async () => runtime.pods.length + (await agents.report()).pods,
    troubles: async () => addCounts([...processes(), await agents.report()].map(({ troubles }) => troubles)),
  };
}

function nodeNames(count: number): string[] {
  const digits = String(count - 1).length;
  return Array.from({ length: count }, (_, index) => `node-${String(index).padStart(digits, "0")}`);
}
