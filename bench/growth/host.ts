/**
 * A fake runtime in its own process, so that its cost is not part of the measurement.
 *
 *     node growth-host.js FLAVOR
 *
 * Answers each line of its input, a number, when it has as many pods, with one running container each. The answer is its endpoint
 * as JSON. Exits when the input ends.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { CriClient } from "k8s-cri-client";
import { type FakeFlavor, FakeRuntime } from "k8s-cri-client/testing";

const image = "growth:1";
const flavor = (process.argv[2] ?? "containerd-2") as FakeFlavor;
await using runtime = await FakeRuntime.start({ flavor, images: [image] });
await using cri = await CriClient.connect({ endpoint: runtime.endpoint });
// The fake records all calls, which would take more memory with each list.
setInterval(() => runtime.clearCalls(), 1_000).unref();

let pods = 0;

async function addPod(): Promise<void> {
  const pod = await cri.pods.run({ name: `pod-${pods++}`, namespace: "growth" });
  await pod.runContainer({ name: "main", image, command: ["sleep", "1000000"] });
}

for await (const line of createInterface({ input: process.stdin })) {
  while (pods < Number(line)) await addPod();
  console.log(JSON.stringify({ endpoint: runtime.endpoint }));
}
