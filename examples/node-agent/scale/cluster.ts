import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { type CleanUpStep, cleanUp } from "../../../bench/support/clean-up.js";
import { ApiServer, type ApiServerKind } from "../cluster/api-server.js";
import { asAccount, install, systemNamespace } from "../cluster/install.js";
import { Api } from "../src/api/api.js";
import { Agents, addCounts } from "./agents.js";
import { Meter } from "./counters.js";
import { Observer } from "./observer.js";
import { AgentProgram, buildPrograms } from "./programs.js";
import { nodeOverrides, startRuntime } from "./runtime.js";

/** An API server with a controller and many agents. The first agent has a process of its own, as on a node; the others share some. */
export interface Cluster extends AsyncDisposable {
  nodes: readonly string[];
  server: ApiServer;
  admin: KubeConfig;
  api: Api;
  observer: Observer;
  /** All agents but the first. They begin to work with `agents.start()`. */
  agents: Agents;
  meter: Meter;
  /** Does what a kubelet does: starts the controller again if it has ended, as it does when it cannot renew its lease. */
  restartController(): Promise<void>;
  /** Counts the pods on all nodes. */
  pods(): Promise<number>;
  /** What agents and the controller have complained about until now, by message. */
  troubles(): Promise<Record<string, number>>;
}

export async function startCluster(kind: ApiServerKind, nodeCount: number): Promise<Cluster> {
  const digits = String(nodeCount - 1).length;
  const nodes = Array.from({ length: nodeCount }, (_, index) => `node-${String(index).padStart(digits, "0")}`);
  const steps: CleanUpStep[] = [];
  const dispose = () => cleanUp(steps);
  try {
    return { nodes, ...(await startParts(kind, nodes, steps)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Parts = Omit<Cluster, "nodes" | keyof AsyncDisposable>;

async function startParts(kind: ApiServerKind, nodes: readonly string[], steps: CleanUpStep[]): Promise<Parts> {
  const own = <T extends AsyncDisposable>(part: T): T => {
    steps.push(async () => await part[Symbol.asyncDispose]());
    return part;
  };
  const folder = await mkdtemp(join(tmpdir(), "node-agent-scale-"));
  steps.push(() => rm(folder, { recursive: true, force: true }));
  const programs = await buildPrograms();
  const server = own(await ApiServer.start(kind));
  const admin = await install(server);
  const api = new Api(admin);
  const observer = own(new Observer(api));
  const start = async (command: "agent" | "controller", env: Record<string, string>) => {
    const file = join(folder, `${command}.kubeconfig`);
    await writeFile(file, await asAccount(server, admin, `node-task-${command}`), { mode: 0o600 });
    const common = { KUBECONFIG: file, POD_NAMESPACE: systemNamespace };
    return own(await AgentProgram.start([programs.main, command], { ...common, ...env }));
  };
  let controller = await start("controller", {});
  const [first = "", ...others] = nodes;
  const runtime = own(await startRuntime(first));
  const agent = await start("agent", {
    ...{ NODE_NAME: first, NODE_LABELS: "{}", CONTAINER_RUNTIME_ENDPOINT: runtime.endpoint },
    ROOT_DIRECTORY: join(folder, first, "root"),
    NODE_OVERRIDES: JSON.stringify(nodeOverrides(join(folder, first))),
  });
  const kubeconfig = await asAccount(server, admin, "node-task-agent");
  const setup = { kubeconfig, namespace: systemNamespace, folder, nodes: others };
  const agents = own(await Agents.prepare(programs.worker, setup));
  const meter = new Meter(server, admin, () => ({
    controller: [controller.pid],
    agent: [agent.pid],
    workers: agents.pids,
  }));
  return {
    ...{ server, admin, api, observer, agents, meter },
    restartController: async () => {
      if (controller.hasEnded) controller = await start("controller", {});
    },
    pods: async () => runtime.pods.length + (await agents.report()).pods,
    troubles: async () => addCounts([controller.troubles, agent.troubles, (await agents.report()).troubles]),
  };
}
