/**
 * The measured agent: this package, as an embedder uses it. Its counterpart in Go, with the same duties, is `go-agent/main.go`.
 *
 *     node agent.js ENDPOINT
 *
 * It watches the pods and containers of the node and follows all logs. The line `work` on its standard input adds statistics every
 * 10 seconds, and for each pod a probe every 10 seconds. It answers the line `profile` with a profile of half a minute, every other
 * line with its counts as JSON, and exits when the input ends.
 *
 * @module
 */
import { setMaxListeners } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { CriClient } from "k8s-cri-client";
import { profile } from "../support/profile.js";

const periodMs = 10_000;
const profileMs = 30_000;
const [endpoint = ""] = process.argv.slice(2);
const counts = { pods: 0, containers: 0, lines: 0, statistics: 0, probes: 0, failures: 0 };
const stop = new AbortController();
const { signal } = stop;
// Each probe waits with it.
setMaxListeners(0, signal);

await using cri = (await CriClient.connect({ endpoint })).with({ signal });
await using view = cri.watch();
await view.ready;

/** Runs until the agent stops. Anything that ends it earlier is a failure. */
async function duty(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (signal.aborted) return;
    counts.failures++;
    console.error(error);
  }
}

async function follow(): Promise<void> {
  for await (const { text } of cri.logs({}, { follow: "forever" })) if (text !== "") counts.lines++;
}

async function measure(): Promise<void> {
  for (;;) {
    counts.statistics += (await cri.stats.containers()).length;
    await sleep(periodMs, undefined, { signal });
  }
}

/** Probes a pod from a random moment on, as the kubelet does, until the pod is removed. */
async function probe(podId: string): Promise<void> {
  await sleep(Math.random() * periodMs, undefined, { signal });
  while (view.pods.has(podId)) {
    const main = [...view.containers.values()].find(
      (container) => container.podSandboxId === podId && container.metadata?.name === "main",
    );
    const result =
      main &&
      (await cri.containers
        .get(main)
        .execSync(["true"])
        .catch(() => undefined));
    if (result?.exitCode === 0) counts.probes++;
    await sleep(periodMs, undefined, { signal });
  }
}

function work(): void {
  void duty(measure);
  for (const id of view.pods.keys()) void duty(() => probe(id));
  view.on("change", (event) => {
    if (event.type === "podAdded") void duty(() => probe(event.pod.id));
  });
}

void duty(follow);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "work") work();
  if (line === "profile") console.log(JSON.stringify({ profile: await profile(() => sleep(profileMs)) }));
  else console.log(JSON.stringify({ ...counts, pods: view.pods.size, containers: view.containers.size }));
}
stop.abort();
