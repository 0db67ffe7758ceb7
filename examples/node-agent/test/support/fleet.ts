import { setTimeout as sleep } from "node:timers/promises";
import type { KubernetesObject } from "@kubernetes/client-node";
import { ApiServer, type ApiServerKind } from "../../cluster/api-server.js";
import { Cluster, type NodeRuntime } from "../../cluster/cluster.js";
import { Api, events, type Resource, results, tasks } from "../../src/api/api.js";
import { Informer } from "../../src/api/informer.js";
import { keyOf, type NodeTask, type NodeTaskResult, type NodeTaskSpec } from "../../src/api/types.js";

/** A cluster whose tasks journeys create and check. */
export class Fleet extends Cluster {
  api!: Api;
  /** Pods that broke the rule of one pod for a task and node. */
  readonly violations: string[] = [];
  /** The most nodes that had no ready pod of a task at the same time, while they had been granted one. */
  readonly mostUnavailable = new Map<string, number>();
  #results: Informer<NodeTaskResult> | undefined;
  #watching: Promise<void> = Promise.resolve();

  static override async start(kind: ApiServerKind, runtimes: readonly NodeRuntime[]): Promise<Fleet> {
    return await new Fleet(await ApiServer.start(kind)).open(runtimes);
  }

  protected override async open(runtimes: readonly NodeRuntime[]): Promise<this> {
    await super.open(runtimes);
    this.api = new Api(this.admin);
    this.#results = new Informer(this.api, results, {
      onChange: ({ spec }) => this.#count(spec.task),
      onError: () => {},
    });
    this.#results.start();
    this.#watching = this.#watch();
    return this;
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

  override async [Symbol.asyncDispose](): Promise<void> {
    this.stopping.abort();
    await Promise.all([this.#watching, this.#results?.stop()]);
    await super[Symbol.asyncDispose]();
  }

  #count(task: string): void {
    const granted = (this.#results?.all() ?? []).filter(
      ({ spec }) => spec.task === task && spec.revision !== undefined,
    );
    const isReady = ({ spec, status }: NodeTaskResult) => status?.revision === spec.revision && status?.ready === true;
    const unavailable = granted.filter((result) => !isReady(result)).length;
    this.mostUnavailable.set(task, Math.max(unavailable, this.mostUnavailable.get(task) ?? 0));
  }

  /** Checks the rule all the time. */
  async #watch(): Promise<void> {
    const { signal } = this.stopping;
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
