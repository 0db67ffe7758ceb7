import { setTimeout as sleep } from "node:timers/promises";
import { VersionApi } from "@kubernetes/client-node";
import { tasks } from "../src/api/api.js";
import { keyOf, type NodeTask, type NodeTaskSpec } from "../src/api/types.js";
import type { LargeCluster } from "./large-cluster.js";
import { measure, measureRest, type Phase } from "./phases.js";
import { containers } from "./runtime.js";

const namespace = "default";
const limitMs = 300_000;
const maxUnavailable = "10%";

export interface ScenarioOptions {
  /** Tasks of the mode KeepRunning. */
  tasks: number;
  restMs: number;
}

/** What was found beside the counters. */
export interface Findings {
  version: string;
  /** In milliseconds, one for each node or pod. */
  latencies: Record<string, number[]>;
  /** The mean size of a result, and of a task with its status, in JSON. */
  resultBytes: number;
  taskBytes: number;
}

/** What agents do in their life, in this order. Each phase begins when the one before has settled. */
export async function* scenario(cluster: LargeCluster, options: ScenarioOptions): AsyncGenerator<Phase, Findings> {
  const { agents, api, nodeCount: all, observer, server, meter } = cluster;
  const names = Array.from({ length: options.tasks }, (_, index) => `service-${index}`);
  const each = async <T>(work: (name: string) => Promise<T>) => await Promise.all(names.map(work));
  const isReady = ({ status }: NodeTask) => status?.ready === all && status.updated === all;

  yield await measureRest(cluster, "one agent", options.restMs);

  yield await measure(cluster, "start", async () => {
    await agents.start();
    await observer.until("all agents have synced", async () => (await agents.report()).synced === all - 1, limitMs);
  });

  const createdAt = Date.now();
  yield await measure(cluster, "create", async () => {
    const created = await each((name) =>
      api.create<NodeTask>(tasks, namespace, { metadata: { name, namespace }, spec: service(1) }),
    );
    await settled(cluster, created, isReady);
  });
  await expectPods(cluster, all * names.length);
  const readyMs = [...observer.readyAt.values()].map((at) => at - createdAt);

  yield await measureRest(cluster, "rest", options.restMs);

  yield await measure(cluster, "roll out", async () => {
    const changed = await each((name) => api.merge(tasks, { namespace, name }, { spec: service(2) }));
    await settled(cluster, changed, isReady);
  });
  await expectPods(cluster, all * names.length);

  const sizes = observer.sizes();

  yield await measure(cluster, "job", async () => {
    const created = await api.create<NodeTask>(tasks, namespace, { metadata: { name: "job", namespace }, spec: job });
    await settled(cluster, [created], ({ status }) => (status?.succeeded ?? 0) + (status?.failed ?? 0) === all);
  });

  const watches = (await meter.read()).openWatches;
  yield await measure(cluster, "restart", async () => {
    await server.kill();
    await server.resume();
    const isBack = async () => {
      await sleep(200);
      return (await meter.read()).openWatches >= watches;
    };
    await observer.until("all watches are open", isBack, limitMs);
  });

  yield await measure(cluster, "delete", async () => {
    await Promise.all([...names, "job"].map((name) => api.delete(tasks, { namespace, name })));
    await observer.until("all tasks are gone", () => observer.isEmpty, limitMs);
  });
  await expectPods(cluster, 0);
  const { gitVersion } = await cluster.admin.makeApiClient(VersionApi).getCode();
  return {
    version: gitVersion,
    latencies: {
      "the task is created … a result says Ready": readyMs,
      "a job ends … its result says so": [...observer.reportMs.values()],
    },
    ...sizes,
  };
}

/** Resolves when the status says that the tasks, or what they were changed to, are complete on all nodes. */
async function settled(
  { observer }: LargeCluster,
  wanted: readonly (NodeTask | undefined)[],
  test: (task: NodeTask) => boolean,
): Promise<void> {
  const isDone = (task: NodeTask | undefined) => {
    const now = task && observer.task(keyOf(task));
    return now !== undefined && isComplete(now, task?.metadata?.generation ?? 0) && test(now);
  };
  await observer.until("all tasks are complete", () => wanted.every(isDone), limitMs);
}

function isComplete({ status }: NodeTask, generation: number): boolean {
  const complete = status?.conditions.find(({ type }) => type === "Complete")?.status === "True";
  return complete && (status?.observedGeneration ?? 0) >= generation;
}

async function expectPods({ pods }: LargeCluster, expected: number): Promise<void> {
  const found = await pods();
  if (found !== expected) throw new Error(`there must be ${expected} pods now, found ${found}`);
}

function service(version: number): Partial<NodeTaskSpec> & Pick<NodeTaskSpec, "template"> {
  const container = { name: containers.service, image: `registry.example/service:${version}` };
  const spec = { terminationGracePeriodSeconds: 5, containers: [container] };
  return { mode: "KeepRunning", maxUnavailable, template: { spec } };
}

const job: Partial<NodeTaskSpec> = {
  mode: "Once",
  template: {
    spec: { restartPolicy: "Never", containers: [{ name: containers.job, image: "registry.example/job:1" }] },
  },
};
