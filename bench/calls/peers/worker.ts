/**
 * The process of one peer. Performs one task at a time and answers with figures.
 *
 *     node --expose-gc worker.js PEER PLACE
 *
 * @module
 */
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { profile } from "../../support/profile.js";
import type { Answer, Task } from "../task.js";
import type { Item, OpenPeer, Peer, Place } from "./peer.js";

const peers: Record<string, () => Promise<{ open: OpenPeer }>> = {
  connect: () => import("./connect.js"),
  http2: () => import("./http2.js"),
  json: () => import("./json.js"),
  "nice-grpc": () => import("./nice-grpc.js"),
  ours: () => import("./ours.js"),
  "ours-in-parts": () => import("./ours-in-parts.js"),
  "proto-loader": () => import("./proto-loader.js"),
  protobufjs: () => import("./protobufjs.js"),
  socket: () => import("./socket.js"),
};

const [name = "", place = "{}"] = process.argv.slice(2);

async function openPeer(): Promise<Peer> {
  const load = peers[name];
  if (!load) throw new Error(`there is no peer "${name}"`);
  return (await load()).open(JSON.parse(place) as Place);
}

async function perform(peer: Peer, task: Task): Promise<Answer> {
  if (task.kind === "contents")
    return { contents: contentsOf((await need(peer, "list")(task.method, task.n)) as Item[]) };
  if (task.kind === "decoded") return { contents: contentsOf(await need(peer, "decode")()) };
  if (task.kind === "encoded") return { contents: [Buffer.from(await need(peer, "encode")()).toString("base64")] };
  if (task.kind === "profile") return { contents: await profile(() => times(task.of, callOf(peer, task.of))) };
  if (task.kind === "delay") return { figures: await delays(peer, task) };
  if (task.kind === "memory") return { figures: await memory(peer, task) };
  return { figures: await times(task, callOf(peer, task)) };
}

function callOf(peer: Peer, task: Task & { kind: "calls" | "decode" | "encode" }): () => unknown {
  if (task.kind !== "calls") return need(peer, task.kind);
  const { method, n } = task;
  if (method === "Version") return need(peer, "version");
  const list = need(peer, "list");
  return () => list(method, n);
}

/** Returns the milliseconds of each call. */
async function times({ calls, inFlight }: { calls: number; inFlight: number }, call: () => unknown): Promise<number[]> {
  const figures: number[] = [];
  let startedCalls = 0;
  const worker = async () => {
    while (startedCalls++ < calls) {
      const start = performance.now();
      const result = call();
      if (result instanceof Promise) await result;
      figures.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return figures;
}

/**
 * Measures the delays of the event loop while it lists. Returns four figures in milliseconds: the longest delay, the 99th percentile
 * of the delays, the longest garbage collection, and the time of garbage collections per list.
 */
async function delays(peer: Peer, { method, n, calls }: Task & { kind: "delay" }): Promise<number[]> {
  const scan = peer.scan ?? need(peer, "list");
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  const collections: number[] = [0];
  const observer = new PerformanceObserver((seen) => {
    collections.push(...seen.getEntries().map(({ duration }) => duration));
  });
  observer.observe({ entryTypes: ["gc"] });
  histogram.enable();
  for (let call = 0; call < calls; call++) await scan(method, n);
  // The histogram records a delay only after the event loop is free again.
  await sleep(10);
  histogram.disable();
  observer.disconnect();
  const collecting = collections.reduce((sum, ms) => sum + ms);
  return [histogram.max / 1e6, histogram.percentile(99) / 1e6, Math.max(...collections), collecting / calls];
}

async function memory(peer: Peer, { method, n, calls }: Task & { kind: "memory" }): Promise<number[]> {
  const list = need(peer, "list");
  for (let call = 0; call < calls; call++) await list(method, n);
  await sleep(100);
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  return [rss, heapUsed];
}

function need<Key extends keyof Peer>(peer: Peer, key: Key): NonNullable<Peer[Key]> {
  const found = peer[key];
  if (!found) throw new Error(`${name} has no ${key}`);
  return found;
}

function contentsOf(items: readonly Item[]): string[] {
  return items.map(({ id, createdAt, labels, attributes, cpu }) => {
    const uid = (labels ?? attributes?.labels)?.["io.kubernetes.pod.uid"];
    return `${id ?? attributes?.id} ${createdAt ?? cpu?.timestamp} ${uid}`;
  });
}

const peer = await openPeer();
process.on("message", async (task: Task) => {
  const answer = await perform(peer, task).catch((error: Error): Answer => ({ error: String(error) }));
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
process.send?.({});
