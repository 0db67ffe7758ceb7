/**
 * Reads the events of the node, keeps its current state in memory, and waits for a state of a container.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/events.ts
 */
import assert from "node:assert/strict";
import { ContainerState, CriClient } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
await using cri = await CriClient.connect();
await using events = cri.events();
await using view = cri.watch();
await Promise.all([events.ready, view.ready]);

await using pod = await cri.pods.run({ name: "events" });
await using container = await cri.runContainerInSandbox(pod, { name: "main", image, command: ["sleep", "60"] });
await cri.waitFor(container, ({ state }) => state === ContainerState.CONTAINER_RUNNING, { timeoutMs: 30_000 });
await container.stop({ gracePeriodSeconds: 0 });

const types: string[] = [];
for await (const event of events) {
  // The stream contains the events of all pods and containers on the node.
  if (!("container" in event) || event.container.id !== container.id) continue;
  types.push(event.type);
  if (event.type !== "containerExited") continue;
  assert.equal(event.exitCode, 137);
  break;
}
assert.deepEqual(types, ["containerAdded", "containerStarted", "containerExited"]);
assert.deepEqual(
  view.findContainers({ pod, state: "exited" }).map(({ id }) => id),
  [container.id],
);
console.log(`Events of the container: ${types.join(", ")} (source: ${view.source}).`);
