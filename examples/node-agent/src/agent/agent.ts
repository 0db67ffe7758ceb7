import { SpanStatusCode, trace } from "@opentelemetry/api";
import type { CriClient } from "k8s-cri-client";
import type { NodeConfig } from "k8s-cri-client/kubernetes";
import { type Api, type Named, results, tasks } from "../api/api.js";
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
  namedBy,
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
  readonly #tasks: Informer<NodeTask>;
  readonly #results: Informer<NodeTaskResult>;
  readonly #queue: Queue;
  readonly #recorder: EventRecorder;
  /** The pods of the tasks that are, or were, for this node. */
  readonly #pods = new Map<string, TaskPod>();

  constructor(private readonly options: AgentOptions) {
    const { api, log, identity } = options;
    this.#recorder = new EventRecorder(api, identity.name);
    const onError = (error: unknown) => log("warning", "the API server does not answer", { error });
    this.#tasks = new Informer(api, tasks, {
      mayBeStale: true,
      onChange: (task) => this.#queue.add(keyOf(task)),
      onError,
    });
    this.#results = new Informer(api, results, {
      scope: { labelSelector: `${labels.node}=${labelValue(identity.name)}` },
      mayBeStale: true,
      onChange: (result) => this.#queue.add(taskKeyOf(result)),
      onError,
    });
    this.#queue = new Queue({
      // Waits for both informers, because a task without its result would look new.
      work: async (key) => (this.isSynced ? await this.#work(key) : this.#queue.add(key, Date.now() + 100)),
      onError: (key, error) => log("error", "cannot reconcile", { task: key, error }),
      workers: 16,
      delayMs: 100 + Math.random() * 200,
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
    for (const key of this.options.store.keys()) this.#queue.add(key);
  }

  /** Ends the work, and leaves all pods running. */
  async close(): Promise<void> {
    await Promise.all([this.#tasks.stop(), this.#results.stop(), this.#queue.close()]);
    await Promise.allSettled([...this.#pods.values()].map((pod) => pod.release()));
  }

  async #work(key: string): Promise<void> {
    const { store, identity, onReconciled } = this.options;
    const task = this.#tasks.get(key);
    const isOurs = task !== undefined && isForNode(task.spec, identity);
    if (!isOurs && !this.#resultOf(key) && !store.get(key)) return;
    const started = performance.now();
    let ok = false;
    await tracer.startActiveSpan("reconcile", { attributes: { "node_task.name": key } }, async (span) => {
      try {
        const pod = await this.#podOf(key);
        // Each round decides anew, because an action changes what the next one depends on.
        while (await this.#round(key, pod)) await faultPoint("between rounds");
        ok = true;
      } finally {
        if (!ok) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        onReconciled?.((performance.now() - started) / 1_000, ok);
      }
    });
  }

  /** Decides, and takes the first action. Returns whether to go on. */
  async #round(key: string, pod: TaskPod): Promise<boolean> {
    const task = this.#tasks.get(key);
    const result = this.#resultOf(key);
    const kept = this.options.store.get(key);
    // A task that was deleted and created again has another uid: what the first one left is removed before.
    const uid = task?.metadata?.uid;
    const isOld = (kept && kept.taskUid !== uid) || (result && result.metadata?.labels?.[labels.task] !== uid);
    const action = reconcile(task && !isOld ? this.#desired(task) : undefined, {
      result: result && { revision: result.spec.revision, status: result.status, isDeleted: isDeleted(result) },
      pod: pod.state,
      keptRevision: kept?.revision,
      reportedAt: pod.reportedAt,
      now: Date.now(),
    });
    if (action === undefined) return false;
    await faultPoint(`before ${action.type}`);
    const goOn = await this.#take(action, key, pod, task, result);
    await faultPoint(`after ${action.type}`);
    return goOn;
  }

  #desired(task: NodeTask): Desired | undefined {
    if (isDeleted(task) || !isForNode(task.spec, this.options.identity)) return undefined;
    const { mode, intervalSeconds = 0 } = task.spec;
    const generation = task.metadata?.generation ?? 0;
    return { mode, intervalMs: intervalSeconds * 1_000, generation, revision: revisionOf(task.spec) };
  }

  async #take(action: Action, key: string, pod: TaskPod, task?: NodeTask, result?: NodeTaskResult): Promise<boolean> {
    const { api, store } = this.options;
    switch (action.type) {
      case "wait":
        this.#queue.add(key, action.until);
        return false;
      case "createResult":
        if (task) this.#results.put(await api.apply(results, this.#newResult(task), fieldManager));
        return true;
      case "start":
        await this.#start(action.run, key, pod, task);
        return true;
      case "removePod":
        await pod.remove();
        await store.forget(key);
        return true;
      case "report": {
        if (result === undefined) return true;
        pod.reportedAt = Date.now();
        const body = { metadata: nameOf(result), status: action.status };
        this.#results.put(await api.apply(results, body, fieldManager));
        return true;
      }
      case "releaseResult":
        this.#pods.delete(key);
        // A task of this name may have been created again.
        this.#queue.add(key);
        if (result === undefined) return false;
        if (!isDeleted(result)) await api.delete(results, nameOf(result));
        await api.removeFinalizer(results, nameOf(result), resultFinalizer);
        this.#results.drop(result);
        return false;
    }
  }

  async #start(run: Run, key: string, pod: TaskPod, task: NodeTask | undefined): Promise<void> {
    const { store } = this.options;
    if (task && revisionOf(task.spec) === run.revision) {
      const taskUid = task.metadata?.uid ?? "";
      await store.keep({ ...nameOf(task), taskUid, revision: run.revision, template: task.spec.template });
    }
    await faultPoint("after keep");
    const kept = store.get(key);
    if (kept) await pod.start(run, kept, task?.spec.logTailLines ?? 0);
  }

  /**
   * Returns the pod of a task. The first time, reads the task's result from the API server: the first list may be older than what an
   * earlier process wrote, and an old status could start an attempt that has already ended.
   */
  async #podOf(key: string): Promise<TaskPod> {
    const known = this.#pods.get(key);
    if (known) return known;
    const { api, cri, node, store } = this.options;
    const listed = this.#resultOf(key);
    const exact = await api.get(results, this.#resultNameOf(key));
    if (exact) this.#results.put(exact);
    else if (listed) this.#results.drop(listed);
    const pod = new TaskPod({
      cri,
      node,
      key,
      // An earlier process may have left one.
      state: { type: store.get(key) ? "unknown" : "none" },
      onChange: () => this.#queue.add(key),
      onEvent: (event) => {
        const result = this.#resultOf(key);
        if (result) this.#recorder.record(result, event);
      },
    });
    this.#pods.set(key, pod);
    return pod;
  }

  #resultNameOf(key: string): Named {
    const { namespace, name } = namedBy(key);
    return { namespace, name: resultName(name, this.options.identity.name) };
  }

  #resultOf(key: string): NodeTaskResult | undefined {
    return this.#results.get(keyOf({ metadata: this.#resultNameOf(key) }));
  }

  #newResult(task: NodeTask) {
    const { namespace, name } = nameOf(task);
    const uid = task.metadata?.uid ?? "";
    const node = this.options.identity.name;
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
        namespace,
        name: resultName(name, node),
        labels: { [labels.task]: uid, [labels.node]: labelValue(node) },
        finalizers: [resultFinalizer],
        ownerReferences: [owner],
      },
      spec: { task: name, node },
    };
  }
}
