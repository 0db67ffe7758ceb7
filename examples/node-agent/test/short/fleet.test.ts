/** A short journey for `npm test`: three agents in this process, with FakeRuntimes and a real API server. */
import { join } from "node:path";
import { FakeRuntime } from "k8s-cri-client/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TemporaryNode, temporaryNode } from "../../../../test/support/temporary-node.js";
import { ApiServer } from "../../cluster/api-server.js";
import { crdServerProgram } from "../../cluster/crd-server.js";
import { configOf, install } from "../../cluster/install.js";
import { Agent } from "../../src/agent/agent.js";
import { Store } from "../../src/agent/store.js";
import { Api, leases, results, tasks } from "../../src/api/api.js";
import { Controller } from "../../src/controller/controller.js";
import { Election } from "../../src/controller/election.js";
import { heartbeat } from "../../src/heartbeat.js";

const namespace = "node-task-system";
const limit = { timeout: 60_000, interval: 100 };

const missing = await crdServerProgram().then(
  () => undefined,
  (error: unknown) => String(error),
);
if (missing) {
  if (process.env.CRI_TEST_REQUIRED) throw new Error(`no API server: ${missing}`);
  console.warn(`\n!!! THE NODE AGENT IS NOT TESTED WITH A REAL API SERVER: ${missing} !!!\n`);
}

describe.skipIf(missing)("three agents and a real API server", () => {
  const open: (() => Promise<void>)[] = [];
  const runtimes: FakeRuntime[] = [];
  const log = () => {};
  let server: ApiServer;
  let api: Api;

  async function startAgent(name: string): Promise<void> {
    const runtime = await FakeRuntime.start({
      run: ({ config }) => (config.metadata?.name === "job" ? { exitCode: 3, afterMs: 50 } : { onSignal: () => 0 }),
    });
    const at: TemporaryNode = await temporaryNode({ nodeName: name });
    const cri = await runtime.connect();
    const store = await Store.open(join(at.node.rootDirectory, "tasks"));
    const agent = new Agent({ api, cri, node: at.node, identity: { name, labels: {} }, store, log });
    const stopping = new AbortController();
    const beating = heartbeat(api, { namespace, node: name, holder: name }, log, stopping.signal);
    agent.start();
    runtimes.push(runtime);
    open.push(async () => {
      stopping.abort();
      await Promise.all([agent.close(), beating]);
      await cri.close();
      await runtime[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    });
  }

  beforeAll(async () => {
    server = await ApiServer.start("crds");
    open.push(() => server[Symbol.asyncDispose]());
    await install(server);
    api = new Api(configOf(await server.kubeconfig()));
    const controller = new Controller(api, namespace, log);
    controller.start();
    open.push(() => controller.close());
    await Promise.all(["n1", "n2", "n3"].map(startAgent));
  }, 120_000);

  afterAll(async () => {
    for (const close of open.reverse()) await close();
  });

  const statusOf = async (name: string) => (await api.get(tasks, { namespace: "default", name }))?.status;
  const create = (name: string, container: string, spec: object) => {
    const template = {
      metadata: {},
      spec: { restartPolicy: "Never", containers: [{ name: container, image: "busybox:1" }] },
    };
    return api.create(tasks, "default", { metadata: { name }, spec: { template, ...spec } });
  };

  test("a job that fails is reported by each node", async () => {
    await create("job", "job", { mode: "Once" });
    await expect.poll(() => statusOf("job"), limit).toMatchObject({ nodes: 3, failed: 3 });
    await expectRemoved("job");
  });

  test("a new template is rolled out", async () => {
    await create("web", "web", { mode: "KeepRunning" });
    await expect.poll(() => statusOf("web"), limit).toMatchObject({ ready: 3 });
    const template = { metadata: { labels: { version: "2" } } };
    await api.merge(tasks, { namespace: "default", name: "web" }, { spec: { template } });
    await expect.poll(() => statusOf("web"), limit).toMatchObject({ observedGeneration: 2, updated: 3, ready: 3 });
    expect(runtimes.map(({ pods }) => pods.map(({ labels }) => labels.version))).toEqual([["2"], ["2"], ["2"]]);
    await expectRemoved("web");
  });

  test("everything goes on after the API server was killed", async () => {
    await create("web", "web", { mode: "KeepRunning" });
    await expect.poll(() => statusOf("web"), limit).toMatchObject({ ready: 3 });
    await server.kill();
    await server.resume();
    const template = { metadata: { labels: { version: "2" } } };
    await api.merge(tasks, { namespace: "default", name: "web" }, { spec: { template } });
    await expect.poll(() => statusOf("web"), limit).toMatchObject({ observedGeneration: 2, updated: 3, ready: 3 });
    await expectRemoved("web");
  });

  test("a controller that ends releases its lease", async () => {
    const lease = { namespace, name: "election" };
    const won: string[] = [];
    const start = (holder: string) => {
      const election = new Election(api, lease, holder, log);
      election.start(
        () => won.push(holder),
        () => {},
      );
      open.push(() => election.close());
      return election;
    };
    const first = start("first");
    await expect.poll(() => won, limit).toEqual(["first"]);
    start("second");
    await first.close();
    expect((await api.get(leases, lease))?.spec).not.toHaveProperty("holderIdentity", "first");
    await expect.poll(() => won, limit).toEqual(["first", "second"]);
  });

  async function expectRemoved(name: string): Promise<void> {
    await api.delete(tasks, { namespace: "default", name });
    await expect.poll(() => statusOf(name), limit).toBeUndefined();
    expect((await api.list(results, { namespace: "default" })).items).toEqual([]);
    expect(runtimes.flatMap(({ pods }) => pods)).toEqual([]);
  }
});
