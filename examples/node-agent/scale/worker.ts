/**
 * A process with many agents, each with a runtime, a store and connections of its own. `scale/agents.ts` starts it.
 *
 * @module
 */
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { KubeConfig } from "@kubernetes/client-node";
import { CriClient } from "k8s-cri-client";
import { describeNode } from "k8s-cri-client/kubernetes";
import type { FakeRuntime } from "k8s-cri-client/testing";
import { troubleOf } from "../cluster/trouble.js";
import { Agent } from "../src/agent/agent.js";
import { Store } from "../src/agent/store.js";
import { Api } from "../src/api/api.js";
import { heartbeat } from "../src/heartbeat.js";
import type { Log } from "../src/log.js";
import { nodeOverrides, startRuntime } from "./runtime.js";

export interface WorkerSetup {
  kubeconfig: string;
  /** The namespace of the agents' leases. */
  namespace: string;
  folder: string;
  nodes: string[];
}

/** What the parent asks for. `prepare` comes first, and `stop` last. */
export type Request = { command: "prepare"; setup: WorkerSetup } | { command: "start" | "report" | "stop" };

/** What a worker says about itself. Counts are those since its start. */
export interface WorkerReport {
  synced: number;
  pods: number;
  /** Answers of the API server. */
  answered: number;
  /** What the agents have complained about, by message. */
  troubles: Record<string, number>;
  /** The 99th percentile since the last report, in milliseconds. A worker that is overloaded is late with everything. */
  loopDelayMs: number;
}

interface Node {
  runtime: FakeRuntime;
  cri: CriClient;
  agent: Agent;
  /** Renews the lease until {@link stopping} is aborted. */
  beat: () => Promise<void>;
  stopping: AbortController;
}

const delays = monitorEventLoopDelay();
const troubles: Record<string, number> = {};
const nodes: Node[] = [];
let answered = 0;

const log: Log = (_level, message, fields) => {
  const trouble = troubleOf(message, (fields?.error as Error | undefined)?.message);
  troubles[trouble] = (troubles[trouble] ?? 0) + 1;
};

async function prepare(name: string, setup: WorkerSetup): Promise<Node> {
  const runtime = await startRuntime(name);
  const cri = await CriClient.connect({ endpoint: runtime.endpoint });
  const folder = join(setup.folder, name);
  const node = await describeNode(cri, {
    ...nodeOverrides(folder),
    ...{ nodeName: name, rootDirectory: join(folder, "root") },
  });
  const config = new KubeConfig();
  config.loadFromString(setup.kubeconfig);
  const api = new Api(config, () => answered++);
  const store = await Store.open(join(folder, "tasks"));
  const agent = new Agent({ api, cri, node, identity: { name, labels: {} }, store, log });
  const lease = { namespace: setup.namespace, node: name, holder: `${name}_${process.pid}` };
  const stopping = new AbortController();
  return { runtime, cri, agent, stopping, beat: () => heartbeat(api, lease, log, stopping.signal) };
}

function report(): WorkerReport {
  const loopDelayMs = delays.percentile(99) / 1e6;
  delays.reset();
  return {
    synced: nodes.filter(({ agent }) => agent.isSynced).length,
    pods: nodes.reduce((sum, { runtime }) => sum + runtime.pods.length, 0),
    ...{ answered, troubles, loopDelayMs },
  };
}

async function handle(request: Request): Promise<unknown> {
  switch (request.command) {
    case "prepare":
      for (const name of request.setup.nodes) nodes.push(await prepare(name, request.setup));
      // A fake keeps all calls, which would grow without limit.
      setInterval(() => {
        for (const { runtime } of nodes) runtime.clearCalls();
      }, 1_000).unref();
      delays.enable();
      return;
    case "start":
      for (const { agent, beat } of nodes) {
        agent.start();
        void beat();
      }
      return;
    case "report":
      return report();
    case "stop":
      for (const { stopping } of nodes) stopping.abort();
      await Promise.all(nodes.map(({ agent }) => agent.close()));
      await Promise.all(nodes.map(({ cri }) => cri.close()));
      await Promise.all(nodes.map(({ runtime }) => runtime.stop()));
  }
}

process.on("message", async (request: Request) => {
  try {
    process.send?.({ answer: (await handle(request)) ?? null });
  } catch (error) {
    process.send?.({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
  if (request.command === "stop") process.disconnect();
});
