/**
 * A program that runs pods from manifests, as an agent on a node would. It gets commands as lines of JSON and answers each with a
 * line of JSON. The journeys start it in the namespaces of a runtime of the lab: mounts and control groups of pods must be those that
 * the runtime sees. It disposes of its pods and ends when its input ends.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { CriClient } from "../../../src/index.js";
import {
  type NodeConfig,
  planPod,
  type RunningPod,
  readManifests,
  type ServiceAccountToken,
} from "../../../src/kubernetes/index.js";

/** The commands of the program and their answers. */
export interface Commands {
  /** Runs the only pod of a document. */
  run: { ask: { manifests: string; node: NodeConfig; tokens?: readonly ServiceAccountToken[] }; answer: RunAnswer };
  waitReady: { ask: { uid: string; timeoutMs: number }; answer: null };
  wait: { ask: { uid: string; timeoutMs: number }; answer: unknown };
  status: { ask: { uid: string }; answer: unknown };
  columns: { ask: { uid: string }; answer: { ready: string; status: string; restarts: number } };
  /** The events so far. */
  events: {
    ask: { uid: string; atLeast: string[] };
    answer: { reason: string; message: string; container?: string }[];
  };
  exec: {
    ask: { uid: string; container: string; argv: string[] };
    answer: { exitCode: number; stdout: string; stderr: string };
  };
  /** The lines of all containers so far. */
  logs: { ask: { uid: string; container?: string }; answer: { container: string; text: string }[] };
  stop: { ask: { uid: string }; answer: null };
  release: { ask: { uid: string }; answer: null };
  dispose: { ask: { uid: string }; answer: null };
}

export interface RunAnswer {
  uid: string;
  adopted: boolean;
  podDirectory: string;
  logDirectory: string;
}

/** One line of input, and the line that answers it. */
export type Request = { [C in keyof Commands]: { id: number; command: C } & Commands[C]["ask"] }[keyof Commands];
export type Reply = { id: number; answer?: unknown; error?: { code?: string; message: string } };

const [endpoint = ""] = process.argv.slice(2);
const cri = CriClient.lazy({ endpoint });
const pods = new Map<string, RunningPod>();

async function answer(request: Request): Promise<unknown> {
  if (request.command === "run") return run(request);
  const pod = pods.get(request.uid);
  if (pod === undefined) throw new Error(`runs no pod ${request.uid}`);
  switch (request.command) {
    case "waitReady":
      return pod.waitReady({ timeoutMs: request.timeoutMs });
    case "wait":
      return pod.wait({ timeoutMs: request.timeoutMs });
    case "status":
      return pod.status();
    case "columns":
      return pod.columns();
    case "exec":
      return pod.container(request.container).execSync(request.argv);
    case "events":
      return eventsOf(pod, request.atLeast);
    case "logs":
      return logsOf(pod, request.container);
    case "stop":
      return pod.stop();
    case "release":
      pods.delete(request.uid);
      return pod.release();
    case "dispose":
      await pod.dispose();
      return void pods.delete(request.uid);
  }
}

async function run({ manifests, node, tokens }: Commands["run"]["ask"]): Promise<RunAnswer> {
  const { pods: found, objects } = readManifests(manifests);
  const [manifest] = found;
  if (manifest === undefined || found.length > 1) throw new Error(`expected one pod, got ${found.length}`);
  const plan = planPod(manifest, { node, objects, tokens });
  const pod = await plan.run(cri);
  pods.set(pod.uid, pod);
  const { podDirectory, logDirectory } = plan;
  return { uid: pod.uid, adopted: pod.adopted, podDirectory, logDirectory };
}

/** Returns the events so far, and waits until each of the given reasons is among them. */
async function eventsOf(pod: RunningPod, reasons: string[]): Promise<unknown[]> {
  const seen: { reason: string }[] = [];
  const missing = new Set(reasons);
  await using events = pod.events();
  for await (const event of events) {
    seen.push(event);
    missing.delete(event.reason);
    if (missing.size === 0) break;
  }
  return seen;
}

async function logsOf(pod: RunningPod, container: string | undefined): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const entry of pod.logs({ ...(container !== undefined && { container }) })) {
    lines.push({ container: entry.container, text: entry.text });
  }
  return lines;
}

function send(reply: Reply): void {
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}

const working = new Set<Promise<void>>();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as Request;
  const { id } = request;
  const work = answer(request).then(
    (value) => send({ id, answer: value ?? null }),
    (error: Error & { code?: string; details?: string }) =>
      send({ id, error: { message: error.details ?? error.message, ...(error.code && { code: error.code }) } }),
  );
  working.add(work);
  void work.finally(() => working.delete(work));
}
await Promise.all([...pods.values()].map((pod) => pod.dispose()));
await cri.close();
