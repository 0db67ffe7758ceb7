import { isDeepStrictEqual } from "node:util";
import type { V1Lease } from "@kubernetes/client-node";
import { type Api, leases, results, tasks } from "../api/api.js";
import { Informer } from "../api/informer.js";
import { revisionOf } from "../api/names.js";
import {
  isDeleted,
  keyOf,
  labels,
  type NodeTask,
  type NodeTaskResult,
  nameOf,
  resultFinalizer,
  taskFinalizer,
  taskKeyOf,
} from "../api/types.js";
import { agentLeaseLabel, leaseSeconds, nodeOf } from "../heartbeat.js";
import type { Log } from "../log.js";
import { Queue } from "../queue.js";
import { rollOut } from "./roll-out.js";

const fieldManager = "node-task-controller";
/** A deleted result whose agent has not renewed its lease for this time is removed without it. */
const forgetAfterMs = 300_000;

/** How long reports about a task are collected into one status. Each status goes to all agents, so that many nodes get few of them. */
export function collectMs(nodes: number): number {
  return Math.max(500, nodes);
}

/** Grants nodes their turn, and writes the status of tasks. One controller is enough: the others wait for its lease. */
export class Controller {
  readonly #tasks: Informer<NodeTask>;
  readonly #results: Informer<NodeTaskResult>;
  readonly #leases: Informer<V1Lease>;
  readonly #queue: Queue;
  /** When this process has seen each node renew its lease. Its own clock counts, because those of nodes may differ. */
  readonly #renewedAt = new Map<string, number>();
  /** The nodes whose agents renew their leases. */
  #liveNodes: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | undefined;

  /** @param namespace that of the agents' leases */
  constructor(
    private readonly api: Api,
    namespace: string,
    log: Log,
  ) {
    const onError = (error: unknown) => log("warning", "the API server does not answer", { error });
    this.#tasks = new Informer(api, tasks, { onError, onChange: (task) => this.#queue.add(keyOf(task)) });
    this.#results = new Informer(api, results, {
      groupBy: taskKeyOf,
      onChange: (result) => this.#collect(taskKeyOf(result)),
      onError,
    });
    this.#leases = new Informer(api, leases, {
      scope: { namespace, labelSelector: agentLeaseLabel },
      onChange: (lease) => this.#noteLease(lease),
      onError,
    });
    this.#queue = new Queue({
      work: async (key) => (this.isSynced ? await this.#work(key) : this.#queue.add(key, Date.now() + 100)),
      onError: (key, error) => log("error", "cannot reconcile", { task: key, error }),
      workers: 4,
      delayMs: collectMs(0),
    });
  }

  get isSynced(): boolean {
    return this.#tasks.isSynced && this.#results.isSynced && this.#leases.isSynced;
  }

  start(): void {
    for (const informer of [this.#tasks, this.#results, this.#leases]) informer.start();
    // Leases expire without a change of any object.
    this.#timer = setInterval(() => this.#checkLeases(), 1_000);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    const informers = [this.#tasks, this.#results, this.#leases].map((informer) => informer.stop());
    await Promise.all([...informers, this.#queue.close()]);
  }

  #collect(key: string): void {
    this.#queue.add(key, Date.now() + collectMs(this.#results.grouped(key).size));
  }

  async #work(key: string): Promise<void> {
    this.#checkLeases();
    const task = this.#tasks.get(key);
    if (task === undefined) return;
    const uid = task.metadata?.uid;
    const ofTask = [...this.#results.grouped(key).values()].filter(
      ({ metadata }) => metadata?.labels?.[labels.task] === uid,
    );
    if (isDeleted(task)) return await this.#removeResults(task, ofTask);
    const name = nameOf(task);
    if (!task.metadata?.finalizers?.includes(taskFinalizer)) {
      this.#tasks.put(
        await this.api.apply(tasks, { metadata: { ...name, finalizers: [taskFinalizer] } }, fieldManager),
      );
    }
    const { grants, status } = rollOut(task, ofTask, this.#liveNodes, new Date());
    const revision = revisionOf(task.spec);
    await eachOf(grants, async (result) => {
      const granted = await this.api.merge(results, nameOf(result), { spec: { revision } });
      if (granted) this.#results.put(granted);
    });
    if (grants.length > 0) return this.#collect(key);
    if (!isDeepStrictEqual(status, task.status)) {
      this.#tasks.put(await this.api.apply(tasks, { metadata: name, status }, fieldManager));
    }
    const { ttlSecondsAfterFinished: ttlSeconds } = task.spec;
    if (status.finishedAt === undefined || ttlSeconds === undefined) return;
    const due = Date.parse(status.finishedAt) + ttlSeconds * 1_000;
    if (due <= Date.now()) await this.api.delete(tasks, name);
    else this.#queue.add(key, due);
  }

  /** Asks all nodes to remove their pods, and lets the task go when they have. */
  async #removeResults(task: NodeTask, ofTask: readonly NodeTaskResult[]): Promise<void> {
    await eachOf(ofTask, async (result) => {
      const { deletionTimestamp } = result.metadata ?? {};
      if (deletionTimestamp === undefined) {
        const deleted = await this.api.delete(results, nameOf(result));
        // Otherwise, it would be deleted again until the watch brings the change.
        if (deleted) this.#results.put(deleted);
        else this.#results.drop(result);
      } else if (
        !this.#liveNodes.has(result.spec.node) &&
        Date.now() - Number(new Date(deletionTimestamp)) > forgetAfterMs
      ) {
        await this.api.removeFinalizer(results, nameOf(result), resultFinalizer);
      }
    });
    // Results that agents have removed meanwhile have just left the cache, and the watch does not bring them again.
    const isLeft = ofTask.some((result) => this.#results.get(keyOf(result)));
    if (!isLeft) await this.api.removeFinalizer(tasks, nameOf(task), taskFinalizer);
  }

  #noteLease(lease: V1Lease): void {
    const node = nodeOf(lease);
    if (node === undefined) return;
    if (this.#leases.get(keyOf(lease))) this.#renewedAt.set(node, Date.now());
    else this.#renewedAt.delete(node);
  }

  #checkLeases(): void {
    const { connectedAt } = this.#leases;
    // Without the API server, agents can renew nothing. Afterwards, all get the whole time again.
    if (connectedAt === undefined) return;
    const oldest = Date.now() - leaseSeconds * 1_000;
    const live = new Set(
      [...this.#renewedAt].flatMap(([node, at]) => (Math.max(at, connectedAt) > oldest ? node : [])),
    );
    if (isDeepStrictEqual(live, this.#liveNodes)) return;
    this.#liveNodes = live;
    for (const task of this.#tasks.all()) this.#queue.add(keyOf(task));
  }
}

/** Writes that are sent at the same time. */
const concurrency = 16;

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}
