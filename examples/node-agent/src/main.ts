#!/usr/bin/env node
/**
 * `node-task-agent agent` runs the tasks of one node. `node-task-agent controller` grants nodes their turn. Both are configured by
 * environment variables, which `deploy/base` sets.
 *
 * @module
 */
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { CriClient } from "k8s-cri-client";
import { describeNode } from "k8s-cri-client/kubernetes";
import { instrument } from "k8s-cri-client/otel";
import { Agent } from "./agent/agent.js";
import { Store } from "./agent/store.js";
import { Api } from "./api/api.js";
import { Controller } from "./controller/controller.js";
import { Election } from "./controller/election.js";
import { heartbeat } from "./heartbeat.js";
import { createLog } from "./log.js";
import { Metrics } from "./metrics.js";
import { serve } from "./server.js";

/** What runs until SIGTERM. */
interface Program {
  isReady(): boolean;
  close(): Promise<void>;
}

const env = process.env;
const [command] = process.argv.slice(2);
if (command !== "agent" && command !== "controller") {
  console.error(`node-task-agent: the first argument must be agent or controller, got ${command}`);
  process.exit(2);
}
/** How long the process may take to end after SIGTERM. The next process does what is not done then, as after a crash. */
const drainMs = 5_000;
const namespace = env.POD_NAMESPACE ?? "node-task-system";
/** A pod that is started again holds its lease still: a kubelet never runs one twice. */
const holder = env.POD_NAME ?? `${hostname()}_${process.pid}`;
const stopping = new AbortController();
const log = createLog((line) => process.stdout.write(line), { command, node: env.NODE_NAME });
const metrics = new Metrics();
const config = new KubeConfig();
config.loadFromDefault();
const api = new Api(config, metrics.answered);

async function runAgent(): Promise<Program> {
  const name = env.NODE_NAME ?? hostname();
  // Does nothing unless an OpenTelemetry SDK was loaded, by `node --import` for example.
  instrument();
  const cri = await CriClient.connect({ endpoint: env.CONTAINER_RUNTIME_ENDPOINT });
  const rootDirectory = env.ROOT_DIRECTORY ?? "/var/lib/node-task-agent";
  const overrides = { ...JSON.parse(env.NODE_OVERRIDES ?? "{}"), rootDirectory, nodeName: name };
  const node = await describeNode(cri, overrides);
  const labels = env.NODE_LABELS === undefined ? await labelsOf(name) : JSON.parse(env.NODE_LABELS);
  const store = await Store.open(join(rootDirectory, "tasks"));
  const onReconciled = metrics.reconciled;
  const agent = new Agent({ api, cri, node, identity: { name, labels }, store, log, onReconciled });
  metrics.observe(cri, () => agent.queueLength);
  void heartbeat(api, { namespace, node: name, holder }, log, stopping.signal);
  agent.start();
  return {
    isReady: () => agent.isSynced,
    close: async () => {
      await agent.close();
      await cri.close();
    },
  };
}

async function labelsOf(name: string): Promise<Record<string, string>> {
  const { metadata } = await config.makeApiClient(CoreV1Api).readNode({ name });
  return metadata?.labels ?? {};
}

/** Waits for its lease, and then runs the controller until it loses the lease. */
function runController(): Program {
  const controller = new Controller(api, namespace, log);
  const election = new Election(api, { namespace, name: "node-task-controller" }, holder, log);
  const onWon = () => {
    log("info", "holds the lease");
    controller.start();
  };
  const onLost = () => {
    log("error", "has lost the lease");
    process.exit(1);
  };
  election.start(onWon, onLost);
  return {
    isReady: () => true,
    close: async () => {
      // In this order, so that never two controllers work.
      await controller.close();
      await election.close();
    },
  };
}

const program = command === "agent" ? await runAgent() : runController();
const server = await serve(metrics, program);
log("info", "started", { port: (server.address() as AddressInfo).port });
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.once(name, async () => {
    log("info", "stops", { signal: name });
    stopping.abort();
    setTimeout(() => process.exit(1), drainMs).unref();
    server.close();
    await program.close();
    process.exit(0);
  });
}
