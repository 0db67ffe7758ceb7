/**
 * Measures the agent and a plain operator, one after the other, on one node: `npm run bench -- node-agent`.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { type Cost, costOf, percentOfCore } from "../../../bench/support/cost.js";
import { median } from "../../../bench/support/statistics.js";
import { table } from "../../../bench/support/table.js";
import { type LabInstance, startLab } from "../../../test/runtime/lab/lab.js";
import { ApiServer } from "../cluster/api-server.js";
import { Cluster } from "../cluster/cluster.js";
import { install } from "../cluster/install.js";
import { compile } from "../cluster/programs.js";
import { group, type Mode, type NodeTask } from "../src/api/types.js";

interface Options {
  phaseMs: number;
  tasks: number;
}

/** An operator that runs, and the cluster in which it does. */
interface Running extends AsyncDisposable {
  readonly pid: number;
  readonly admin: KubeConfig;
}

interface Figures {
  restPercent: number;
  restBytes: number;
  workMsPerTask: number;
  workBytes: number;
  tasks: number;
}

const sampleMs = 1_000;
const type = { group, version: "v1", namespace: "default", plural: "nodetasks" };

export async function measure(options: Options): Promise<void> {
  const lab = await startLab({ versions: ["2.1"] });
  try {
    const [instance] = lab.instances;
    if (!instance) throw new Error("the lab has no runtime");
    const { phaseMs, tasks } = options;
    const minutes = `${phaseMs / 60_000} minutes for each phase`;
    console.log(`\n${instance.name} (${instance.version}), ${tasks} pods, ${minutes}, Node.js ${process.version}`);
    const agent = await figuresOf(await startAgent(instance), lab.images.busybox, options);
    const plain = await figuresOf(await startPlain(instance), lab.images.busybox, options);
    print([
      ["node agent", agent],
      ["plain operator", plain],
    ]);
  } finally {
    await lab.stop();
  }
}

async function startAgent({ name, endpoint }: LabInstance): Promise<Running> {
  const cluster = await Cluster.start("crds", [{ name, endpoint }]);
  const pid = cluster.nodes[0]?.agent?.pid ?? 0;
  return { pid, admin: cluster.admin, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

async function startPlain({ endpoint }: LabInstance): Promise<Running> {
  const server = await ApiServer.start("crds");
  const folder = await mkdtemp(join(tmpdir(), "plain-operator-"));
  let child: ChildProcess | undefined;
  const end = async () => {
    if (child && child.exitCode === null) {
      const exit = once(child, "exit");
      child.kill();
      await exit;
    }
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const admin = await install(server);
    const kubeconfig = join(folder, "kubeconfig");
    await writeFile(kubeconfig, await server.kubeconfig(), { mode: 0o600 });
    const env = { KUBECONFIG: kubeconfig, CONTAINER_RUNTIME_ENDPOINT: endpoint, LOG_DIRECTORY: folder };
    child = spawn(process.execPath, [await compile("bench/plain.ts")], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    await Promise.race([
      once(child.stdout!, "data"),
      once(child, "exit").then(() => Promise.reject(new Error("the plain operator has ended"))),
    ]);
    return { pid: child.pid ?? 0, admin, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Runs both phases, and ends the operator and its cluster. */
async function figuresOf(running: Running, image: string, { phaseMs, tasks }: Options): Promise<Figures> {
  await using operator = running;
  const { pid } = operator;
  const cluster = new Tasks(operator.admin, image);
  for (let index = 0; index < tasks; index++) await cluster.create(`keep-${index}`, "KeepRunning", "sleep 1000000");
  for (let index = 0; index < tasks; index++) await cluster.until(`keep-${index}`, "running");
  // What the roll-outs left to do must not count as rest.
  await sleep(10_000);
  const rest = await observe(pid, () => sleep(phaseMs));
  let done = 0;
  const end = performance.now() + phaseMs;
  const work = await observe(pid, async () => {
    for (; performance.now() < end; done++) {
      await cluster.create(`once-${done}`, "Once", "exit 0");
      await cluster.until(`once-${done}`, "succeeded");
      await cluster.remove(`once-${done}`);
    }
  });
  for (let index = 0; index < tasks; index++) await cluster.remove(`keep-${index}`);
  return {
    restPercent: rest.cpuPercent,
    restBytes: rest.rssBytes,
    workMsPerTask: (work.cpuSeconds / done) * 1_000,
    workBytes: work.rssBytes,
    tasks: done,
  };
}

/** The tasks of an operator, as its user sees them. */
class Tasks {
  readonly #api: CustomObjectsApi;

  constructor(
    admin: KubeConfig,
    private readonly image: string,
  ) {
    this.#api = admin.makeApiClient(CustomObjectsApi);
  }

  async create(name: string, mode: Mode, line: string): Promise<void> {
    const container = { name: "main", image: this.image, command: ["/bin/sh", "-c", line] };
    const settings = { restartPolicy: "Never", terminationGracePeriodSeconds: 0, hostNetwork: true };
    const template = { spec: { ...settings, containers: [container] } };
    const body = { apiVersion: `${group}/v1`, kind: "NodeTask", metadata: { name }, spec: { mode, template } };
    await this.#api.createNamespacedCustomObject({ ...type, body });
  }

  /** Waits until the task runs, or has succeeded, on the node. */
  async until(name: string, count: "running" | "succeeded"): Promise<void> {
    await eventually(async () => ((await this.#get(name)) as NodeTask | undefined)?.status?.[count] === 1, name);
  }

  async remove(name: string): Promise<void> {
    await this.#api.deleteNamespacedCustomObject({ ...type, name });
    await eventually(async () => (await this.#get(name)) === undefined, name);
  }

  async #get(name: string): Promise<unknown> {
    return await this.#api.getNamespacedCustomObject({ ...type, name }).catch((error: { code?: number }) => {
      if (error.code !== 404) throw error;
    });
  }
}

async function eventually(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  for (const end = performance.now() + 60_000; !(await isTrue()); await sleep(50)) {
    if (performance.now() > end) throw new Error(`waited a minute for ${what}`);
  }
}

/** Resolves with what a process has cost while something ran. Its memory is the median. */
async function observe(pid: number, during: () => Promise<void>) {
  const costs: Cost[] = [await costOf(pid)];
  const ended = during();
  const isOver = ended.then(() => true);
  while (!(await Promise.race([isOver, sleep(sampleMs, false)]))) costs.push(await costOf(pid));
  costs.push(await costOf(pid));
  const [first, last] = [costs[0] as Cost, costs.at(-1) as Cost];
  return {
    cpuPercent: percentOfCore(first, last),
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
    rssBytes: median(costs.map(({ rssBytes }) => rssBytes)),
  };
}

function print(operators: [string, Figures][]): void {
  const quantities = ["restPercent", "restBytes", "workMsPerTask", "workBytes"] as const;
  const [ours] = operators;
  const rows = operators.map(([name, figures]) => [
    name,
    figures.restPercent.toFixed(2),
    (figures.restBytes / 1e6).toFixed(0),
    String(figures.tasks),
    figures.workMsPerTask.toFixed(1),
    (figures.workBytes / 1e6).toFixed(0),
    quantities.map((quantity) => ((ours?.[1][quantity] ?? 0) / figures[quantity]).toFixed(2)).join(" · "),
  ]);
  const rest = ["rest: CPU, % of a core", "memory, MB"];
  const work = ["work: tasks", "CPU ms for a task", "memory, MB"];
  console.log(`\n${table(["", ...rest, ...work, "agent to it"], rows)}`);
}
