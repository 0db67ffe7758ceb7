import { once } from "node:events";
import { Agent, request } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { ApiServer, type ApiServerKind } from "../cluster/api-server.js";
import { install } from "../cluster/install.js";
import { Api, type Resource, results, tasks } from "../src/api/api.js";
import { group, labels } from "../src/api/types.js";
import type { Costs } from "./model.js";
import { findChild, usageOf } from "./processes.js";

export type ProbedCosts = Omit<Costs, "resultBytes" | "taskBytes" | "writesPerPod">;

const namespace = "default";
const [few, many] = [200, 2_000];
const exactLists = 20;
/** A list from the watch cache costs so little that only many of them exceed what the server does meanwhile. */
const cachedLists = 400;
const watchCount = 1_000;
const changes = 200;
const idleMs = 3_000;

/**
 * Measures what single things cost the API server and etcd, without agents. Each cost is the difference of two measurements.
 *
 * @param interrupted rejects to end the measurement
 */
export async function probe(kind: ApiServerKind, interrupted: Promise<never>): Promise<ProbedCosts> {
  await using server = await ApiServer.start(kind);
  const admin = await install(server);
  return await Promise.race([probeServer(server, admin), interrupted]);
}

async function probeServer(server: ApiServer, admin: KubeConfig): Promise<ProbedCosts> {
  const bench = new Bench(server, admin);
  await bench.calibrate();

  await bench.createResults(0, few);
  const exactFew = await bench.cpuOf(() => bench.list(exactLists, {}));
  const cachedFew = await bench.cpuOf(() => bench.list(cachedLists, { resourceVersion: "0" }));
  await bench.createResults(few, many);
  const exactMany = await bench.cpuOf(() => bench.list(exactLists, {}));
  const cachedMany = await bench.cpuOf(() => bench.list(cachedLists, { resourceVersion: "0" }));
  const perObject = (lists: number, cpu: number) => (cpu / (lists * (many - few))) * 1e6;

  await bench.api.create(tasks, namespace, task);
  const alone = await bench.cpuOf(() => bench.change(results, "probe-0"));
  const aloneTask = await bench.cpuOf(() => bench.change(tasks, "probe"));
  const memoryBefore = bench.apiServerMemory();
  let close = () => {};
  const opened = await bench.cpuOf(async () => {
    close = await bench.watch(results, `${labels.node}=no-such-node`);
  });
  const watchBytes = (bench.apiServerMemory() - memoryBefore) / watchCount;
  const compared = await bench.cpuOf(() => bench.change(results, "probe-0"));
  close();
  close = await bench.watch(tasks);
  const sent = await bench.cpuOf(() => bench.change(tasks, "probe"));
  close();
  return {
    listedMicroseconds: perObject(exactLists, exactMany - exactFew),
    cachedMicroseconds: perObject(cachedLists, cachedMany - cachedFew),
    watchMilliseconds: (opened / watchCount) * 1e3,
    watchBytes,
    comparedMicroseconds: ((compared - alone) / (changes * watchCount)) * 1e6,
    sentMicroseconds: ((sent - aloneTask) / (changes * watchCount)) * 1e6,
  };
}

class Bench {
  readonly api: Api;
  readonly #pids = [/^--etcd-servers=/, /^--listen-client-urls=/].map((word) => findChild(word)?.pid ?? 0);
  /** Processor seconds that are used in each second while nothing happens. */
  #idle = 0;

  constructor(
    private readonly server: ApiServer,
    private readonly admin: KubeConfig,
  ) {
    this.api = new Api(admin);
  }

  async calibrate(): Promise<void> {
    this.#idle = (await this.cpuOf(() => sleep(idleMs))) / (idleMs / 1_000);
  }

  /** Returns the processor seconds of the API server and etcd that the work costs. */
  async cpuOf(work: () => Promise<unknown>): Promise<number> {
    const [before, started] = [this.#cpu(), performance.now()];
    await work();
    // What the server does after its answer, such as sending a change to watches, belongs to the work.
    await sleep(500);
    return this.#cpu() - before - (this.#idle * (performance.now() - started)) / 1_000;
  }

  apiServerMemory(): number {
    return usageOf(this.#pids[0] ?? 0).memoryBytes;
  }

  /** Creates results of many nodes, which look as agents leave them. */
  async createResults(from: number, to: number): Promise<void> {
    const rest = Array.from({ length: to - from }, (_, index) => from + index).values();
    const worker = async () => {
      for (const index of rest) await this.api.create(results, namespace, resultOf(index));
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }

  /** Lists the results of one node, as an agent does when it starts. */
  async list(lists: number, options: { resourceVersion?: string }): Promise<void> {
    const labelSelector = `${labels.node}=node-0`;
    for (let count = 0; count < lists; count++) {
      await this.#get(results, { labelSelector, limit: "500", ...options }).then(({ done }) => done);
    }
  }

  async change(type: Resource<object>, name: string): Promise<void> {
    for (let count = 0; count < changes; count++) {
      const annotations = { [`${group}/probe`]: String(count) };
      await this.api.merge(type, { namespace, name }, { metadata: { annotations } });
    }
  }

  /** Opens many watches, each on a connection of its own, and returns a function that closes them. */
  async watch(type: Resource<object>, labelSelector?: string): Promise<() => void> {
    const query = { watch: "true", resourceVersion: "0", ...(labelSelector && { labelSelector }) };
    const closing: (() => void)[] = [];
    const rest = Array.from({ length: watchCount }).values();
    const worker = async () => {
      for (const _ of rest) closing.push((await this.#get(type, query)).close);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    return () => {
      for (const close of closing) close();
    };
  }

  /** Resolves when the answer begins. `done` resolves when it has ended. */
  async #get({ group, plural }: Resource<object>, query: Record<string, string>) {
    const path = `/apis/${group}/v1/${plural}?${new URLSearchParams(query)}`;
    const options = {};
    await this.admin.applyToHTTPSOptions(options);
    const agent = new Agent({ ...options, keepAlive: false });
    const sent = request(this.server.url + path, { ...options, agent }).end();
    const [response] = await once(sent, "response", { signal: AbortSignal.timeout(30_000) });
    if (response.statusCode !== 200) throw new Error(`${path} was answered with ${response.statusCode}`);
    sent.on("error", () => {});
    const done = new Promise((resolve) => response.resume().on("close", resolve));
    return { done, close: () => void sent.destroy() };
  }

  #cpu(): number {
    return this.#pids.reduce((sum, pid) => sum + usageOf(pid).cpuSeconds, 0);
  }
}

const template = { spec: { containers: [{ name: "service", image: "registry.example/service:1" }] } };
const task = { metadata: { namespace, name: "probe" }, spec: { template, mode: "KeepRunning" } };

function resultOf(index: number) {
  const node = `node-${index}`;
  return {
    metadata: {
      ...{ namespace, name: `probe-${index}`, finalizers: [`${group}/pod`] },
      labels: { [labels.task]: "00000000-0000-0000-0000-000000000000", [labels.node]: node },
    },
    spec: { task: "probe", node, revision: "0123456789abcdef" },
  };
}
