import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig, KubernetesObject } from "@kubernetes/client-node";
import { CriClient } from "k8s-cri-client";
import { temporaryNode } from "../../../../test/support/temporary-node.js";
import { ApiServer, type ApiServerKind } from "../../cluster/api-server.js";
import { asAccount, install } from "../../cluster/install.js";
import { Api, events, type Resource, results, tasks } from "../../src/api/api.js";
import { Informer } from "../../src/api/informer.js";
import { keyOf, type NodeTask, type NodeTaskResult, type NodeTaskSpec } from "../../src/api/types.js";
import { AgentProcess } from "./agent-process.js";

/** The runtime of a node. */
export interface NodeRuntime {
  name: string;
  endpoint: string;
}

/** An API server, a controller, and an agent for each runtime. */
export class Fleet implements AsyncDisposable {
  readonly nodes: FleetNode[] = [];
  controller!: AgentProcess;
  /** Pods that broke the rule of one pod for a task and node. */
  readonly violations: string[] = [];
  /** The most nodes that had no ready pod of a task at the same time, while they had been granted one. */
  readonly mostUnavailable = new Map<string, number>();
  readonly #results: Informer<NodeTaskResult>;
  readonly #stopping = new AbortController();
  #watching: Promise<void> = Promise.resolve();

  private constructor(
    readonly server: ApiServer,
    readonly admin: KubeConfig,
    readonly api: Api,
    readonly folder: string,
  ) {
    this.#results = new Informer(api, results, { onChange: ({ spec }) => this.#count(spec.task), onError: () => {} });
  }

  static async start(kind: ApiServerKind, runtimes: readonly NodeRuntime[]): Promise<Fleet> {
    const folder = await mkdtemp(join(tmpdir(), "fleet-"));
    const server = await ApiServer.start(kind);
    const admin = await install(server);
    const fleet = new Fleet(server, admin, new Api(admin), folder);
    try {
      await fleet.#start(runtimes);
      return fleet;
    } catch (error) {
      await fleet[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #start(runtimes: readonly NodeRuntime[]): Promise<void> {
    const kubeconfig = await asAccount(this.server, this.admin, "node-task-agent");
    for (const runtime of runtimes)
      this.nodes.push(new FleetNode(runtime, kubeconfig, join(this.folder, runtime.name)));
    await Promise.all([this.startController(), ...this.nodes.map((node) => node.start())]);
    this.#results.start();
    this.#watching = this.#watch();
  }

  /** Starts the controller, and starts it again whenever it ends, as a Deployment does. */
  async startController(): Promise<void> {
    const kubeconfig = await asAccount(this.server, this.admin, "node-task-controller");
    const folder = join(this.folder, "controller");
    const start = async () => {
      this.controller = await AgentProcess.start({ command: "controller", kubeconfig, folder });
      void this.controller.ended().then(async () => {
        if (!this.#stopping.signal.aborted) await start();
      });
    };
    await start();
  }

  async create(name: string, spec: Partial<NodeTaskSpec> & Pick<NodeTaskSpec, "template">): Promise<NodeTask> {
    return await this.api.create(tasks, "default", { metadata: { name, namespace: "default" }, spec });
  }

  async task(name: string): Promise<NodeTask | undefined> {
    return await this.api.get(tasks, { namespace: "default", name });
  }

  /** The results of a task, by node. */
  async resultsOf(name: string): Promise<Record<string, NodeTaskResult>> {
    const all = (await this.api.list(results, { namespace: "default" })).items.filter(({ spec }) => spec.task === name);
    return Object.fromEntries(all.map((result) => [result.spec.node, result]));
  }

  async change(name: string, spec: object): Promise<void> {
    await this.api.merge(tasks, { namespace: "default", name }, { spec });
  }

  async remove(name: string): Promise<void> {
    await this.api.delete(tasks, { namespace: "default", name });
  }

  /** The version of each object and event, which are the same for as long as nothing writes. */
  async versions(): Promise<Record<string, string | undefined>> {
    const types: Resource<KubernetesObject>[] = [tasks, results, events];
    const lists = await Promise.all(types.map((type) => this.api.list(type, {})));
    const all = lists.flatMap(({ items }) => items);
    return Object.fromEntries(all.map((object) => [keyOf(object), object.metadata?.resourceVersion]));
  }

  /** Everything that is left of a task: objects, and pods of all nodes. */
  async left(name: string): Promise<string[]> {
    const objects = [await this.task(name), ...Object.values(await this.resultsOf(name))];
    const pods = await Promise.all(
      this.nodes.map(async (node) => (await node.pods(name)).map((id) => `${node.name} ${id}`)),
    );
    return [...objects.flatMap((object) => object?.metadata?.name ?? []), ...pods.flat()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#watching, this.#results.stop()]);
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    await this.controller?.[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  #count(task: string): void {
    const granted = this.#results.all().filter(({ spec }) => spec.task === task && spec.revision !== undefined);
    const isReady = ({ spec, status }: NodeTaskResult) => status?.revision === spec.revision && status?.ready === true;
    const unavailable = granted.filter((result) => !isReady(result)).length;
    this.mostUnavailable.set(task, Math.max(unavailable, this.mostUnavailable.get(task) ?? 0));
  }

  /** Checks the rule all the time. */
  async #watch(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const node of this.nodes) {
        const names = (await node.readyPods()).map(({ namespace, name }) => `${namespace}/${name}`);
        for (const name of names) {
          if (names.filter((one) => one === name).length > 1) this.violations.push(`${node.name} has two pods ${name}`);
        }
      }
      await sleep(50, undefined, { signal }).catch(() => {});
    }
  }
}

/** A node of a fleet: a runtime and its agent. */
export class FleetNode implements AsyncDisposable {
  readonly cri: CriClient;
  agent: AgentProcess | undefined;
  /** The settings of the node, whose directories are temporary. */
  readonly #node = temporaryNode({ maxRestartDelayMs: 1_000 });

  constructor(
    readonly runtime: NodeRuntime,
    readonly kubeconfig: string,
    readonly folder: string,
  ) {
    this.cri = CriClient.lazy({ endpoint: runtime.endpoint });
  }

  get name(): string {
    return this.runtime.name;
  }

  /** Starts the agent, which continues with what an earlier one left. */
  async start(env: Record<string, string> = {}): Promise<AgentProcess> {
    const { node } = await this.#node;
    this.agent = await AgentProcess.start({
      ...{ command: "agent", kubeconfig: this.kubeconfig, folder: this.folder },
      env: {
        NODE_NAME: this.name,
        NODE_LABELS: JSON.stringify({ "kubernetes.io/hostname": this.name }),
        CONTAINER_RUNTIME_ENDPOINT: this.runtime.endpoint,
        ROOT_DIRECTORY: node.rootDirectory,
        NODE_OVERRIDES: JSON.stringify(node),
        ...env,
      },
    });
    return this.agent;
  }

  async readyPods(): Promise<{ namespace: string; name: string; id: string }[]> {
    const pods = await this.cri.pods.list({ state: "ready" }).catch(() => []);
    return pods.map(({ id, metadata }) => ({ id, namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" }));
  }

  /** The ids of the pods of a task, ended ones included. */
  async pods(task: string): Promise<string[]> {
    const pods = await this.cri.pods.list({ namespace: "default" });
    return pods.filter(({ metadata }) => metadata?.name === task).map(({ id }) => id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent?.[Symbol.asyncDispose]();
    await this.cri.close();
    await (await this.#node)[Symbol.asyncDispose]();
  }
}
