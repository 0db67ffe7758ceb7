import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { CriClient } from "k8s-cri-client";
import type { NodeConfig } from "k8s-cri-client/kubernetes";
import { type Api, results, tasks } from "../api/api.js";
import { Informer } from "../api/informer.js";
import { labelValue, resultName, revisionOf } from "../api/names.js";
import { isForNode, type NodeIdentity } from "../api/selection.js";
import {
  group,
  isDeleted,
  keyOf,
  labels,
  type NodeTask,
  type NodeTaskResult,
  nameOf,
  resultFinalizer,
  taskKeyOf,
} from "../api/types.js";
import { faultPoint } from "../fault-point.js";
import type { Log } from "../log.js";
import { Queue } from "../queue.js";
import { EventRecorder } from "./event-recorder.js";
import { type Action, type Desired, type Run, reconcile } from "./reconcile.js";
import type { Store } from "./store.js";
import { TaskPod } from "./task-pod.js";

export interface AgentOptions {
  api: Api;
  cri: CriClient;
  node: NodeConfig;
  identity: NodeIdentity;
  store: Store;
  log: Log;
  onReconciled?: (seconds: number, ok: boolean) => void;
}

const fieldManager = "node-task-agent";
const tracer = trace.getTracer("node-task-agent");

/** Runs the tasks of one node. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #tasks: Informer<NodeTask>;
  readonly #results: Informer<NodeTaskResult>;
  readonly #queue: Queue;
  readonly #recorder: EventRecorder;
  readonly #pods = new Map<string, TaskPod>();
  readonly #reportedAt = new Map<string, number>();
  /** The tasks whose results this process has read exactly. */
  readonly #confirmed = new Set<string>();

  constructor(options: AgentOptions) {
    this.#options = options;
    const { api, log, identity } = options;
    this.#recorder = new EventRecorder(api, identity.name);
    const onError = (error: unknown) => log("warning", "the API server does not answer", { error });
    this.#tasks = new Informer(api, tasks, {
      ...{ onError, mayBeStale: true },
      onChange: (task) => this.#queue.add(keyOf(task)),
    });
    this.#results = new Informer(api, results, {
      ...{ onError, mayBeStale: true, scope: { labelSelector: `${labels.node}=${labelValue(identity.name)}` } },
      onChange: (result) => this.#queue.add(taskKeyOf(result)),
    });
    this.#queue = new Queue({
      // Waits for both informers, because a task without its result would look new.
      work: async (key) => (this.isSynced ? await this.#work(key) : this.#queue.add(key, Date.now() + 100)),
      onError: (key, error) => log("error", "cannot reconcile", { task: key, error }),
      ...{ workers: 16, delayMs: 100 + Math.random() * 200 },
    });
  }

  get isSynced(): boolean {
    return this.#tasks.isSynced && this.#results.isSynced;
  }

  get queueLength(): number {
    return this.#queue.size;
  }

  start(): void {
    this.#tasks.start();
    this.#results.start();
    // Tasks that were deleted while no agent ran have left pods.
    for (const key of this.#options.store.keys()) this.#queue.add(key);
  }

  /** Ends the work, and leaves all pods running. */
  async close(): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#results.stop(), this.#queue.close()]);
    await Promise.allSettled([...this.#pods.values()].map((pod) => pod.release()));
  }

  async #work(key: string): Promise<void> {
    const started = performance.now();
    let ok = false;
    await tracer.startActiveSpan("reconcile", { attributes: { "node_task.name": key } }, async (span) => {
      try {
        await this.#confirm(key);
        // Each round decides anew, because an action changes what the next one depends on.
        while (await this.#round(key)) await faultPoint("between rounds");
        ok = true;
      } finally {
        if (!ok) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        this.#options.onReconciled?.((performance.now() - started) / 1_000, ok);
      }
    });
  }

  /**
   * Reads the result of a task, once in the life of this process. The first list may be older than what an earlier process wrote, and
   * an old status could start an attempt that has already ended.
   */
  async #confirm(key: string): Promise<void> {
    const known = this.#resultOf(key);
    const task = this.#tasks.get(key);
    if (this.#confirmed.has(key) || !(known || (task && isForNode(task.spec, this.#options.identity)))) return;
    const [namespace = "", taskName = ""] = key.split("/");
    const name = resultName(taskName, this.#options.identity.name);
    const exact = await this.#options.api.get(results, { namespace, name });
    if (exact) this.#results.put(exact);
    else if (known) this.#results.drop(known);
    this.#confirmed.add(key);
  }

  /** Decides, and takes the first action. Returns whether to go on. */
  async #round(key: string): Promise<boolean> {
    const task = this.#tasks.get(key);
    const result = this.#resultOf(key);
    const kept = this.#options.store.get(key);
    const pod = this.#pods.get(key);
    // A task that was deleted and created again has another uid: what the first one left is removed before.
    const uid = task?.metadata?.uid;
    const isOld = (kept && kept.taskUid !== uid) || (result && result.metadata?.labels?.[labels.task] !== uid);
    const desired = task && !isOld ? this.#desired(task) : undefined;
    const action = reconcile(desired, {
      result: result && { revision: result.spec.revision, status: result.status, isDeleted: isDeleted(result) },
      pod: pod?.state ?? (kept ? { type: "unknown" } : { type: "none" }),
      keptRevision: kept?.revision,
      reportedAt: this.#reportedAt.get(key) ?? 0,
      now: Date.now(),
    });
    if (action === undefined) return false;
    await faultPoint(`before ${action.type}`);
    const goOn = await this.#take(action, key, task, result);
    await faultPoint(`after ${action.type}`);
    return goOn;
  }

  #desired(task: NodeTask): Desired | undefined {
    if (isDeleted(task) || !isForNode(task.spec, this.#options.identity)) return undefined;
    const { mode, intervalSeconds = 0 } = task.spec;
    const generation = task.metadata?.generation ?? 0;
    return { mode, intervalMs: intervalSeconds * 1_000, generation, revision: revisionOf(task.spec) };
  }

  async #take(action: Action, key: string, task?: NodeTask, result?: NodeTaskResult): Promise<boolean> {
    const { api, store } = this.#options;
    switch (action.type) {
      case "wait":
        this.#queue.add(key, action.until);
        return false;
      case "createResult":
        if (task) this.#results.put(await api.apply(results, this.#newResult(task), fieldManager));
        return true;
      case "start":
        await this.#start(action.run, key, task);
        return true;
      case "removePod":
        await this.#podOf(key).remove();
        this.#pods.delete(key);
        await store.forget(key);
        return true;
      case "report": {
        this.#reportedAt.set(key, Date.now());
        if (result === undefined) return true;
        const body = { metadata: nameOf(result), status: action.status };
        this.#results.put(await api.apply(results, body, fieldManager));
        return true;
      }
      case "releaseResult": {
        this.#reportedAt.delete(key);
        this.#confirmed.delete(key);
        if (result === undefined) return true;
        if (!isDeleted(result)) await api.delete(results, nameOf(result));
        await api.removeFinalizer(results, nameOf(result), resultFinalizer);
        this.#results.drop(result);
        return true;
      }
    }
  }

  async #start(run: Run, key: string, task: NodeTask | undefined): Promise<void> {
    const { store } = this.#options;
    if (task && revisionOf(task.spec) === run.revision) {
      const taskUid = task.metadata?.uid ?? "";
      await store.keep({ ...nameOf(task), taskUid, revision: run.revision, template: task.spec.template });
    }
    await faultPoint("after keep");
    const kept = store.get(key);
    if (kept) await this.#podOf(key).start(run, kept, task?.spec.logTailLines ?? 0);
  }

  #podOf(key: string): TaskPod {
    const known = this.#pods.get(key);
    if (known) return known;
    const { cri, node } = this.#options;
    const [namespace = "", name = ""] = key.split("/");
    const pod = new TaskPod({
      ...{ cri, node, name: { namespace, name } },
      onChange: () => this.#queue.add(key),
      onEvent: (event) => {
        const result = this.#resultOf(key);
        if (result) this.#recorder.record(result, event);
      },
    });
    this.#pods.set(key, pod);
    return pod;
  }

  #resultOf(key: string): NodeTaskResult | undefined {
    const [namespace, name = ""] = key.split("/");
    return this.#results.get(`${namespace}/${resultName(name, this.#options.identity.name)}`);
  }

  #newResult(task: NodeTask) {
    const { namespace, name } = nameOf(task);
    const uid = task.metadata?.uid ?? "";
    const node = this.#options.identity.name;
    const owner = {
      apiVersion: `${group}/v1`,
      kind: tasks.kind,
      name,
      uid,
      controller: true,
      blockOwnerDeletion: true,
    };
    return {
      metadata: {
        ...{ namespace, name: resultName(name, node), finalizers: [resultFinalizer], ownerReferences: [owner] },
        labels: { [labels.task]: uid, [labels.node]: labelValue(node) },
      },
      spec: { task: name, node },
    };
  }
}
