/**
 * Forwards a local port to a web server in a pod.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/port-forward.ts
 */
import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { CriClient } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
const serve = "mkdir /www && echo hello > /www/index.html && exec httpd -f -p 8080 -h /www";

await using cri = await CriClient.connect();
await using pod = await cri.pods.run({ name: "port-forward" });
await using _web = await cri.runContainerInSandbox(pod, { name: "web", image, command: ["sh", "-c", serve] });

await using listener = await pod.portForward(8080).listen();
listener.on("connectionError", (error) => console.log(`One connection failed: ${error}`));
const url = `http://127.0.0.1:${listener.address.port}/`;

// The server needs time to start. Until then connections fail, but the listener stays open.
const get = () => fetch(url).then((response) => response.text());
let page = await get().catch(() => "");
for (let attempt = 1; page === "" && attempt <= 50; attempt++) {
  await setTimeout(100);
  page = await get().catch(() => "");
}
assert.equal(page, "hello\n");

const pages = await Promise.all(Array.from({ length: 20 }, get));
assert.ok(pages.every((text) => text === "hello\n"));
console.log(`Sent ${pages.length} requests at once over one connection to the runtime.`);
