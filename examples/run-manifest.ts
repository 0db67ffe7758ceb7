/**
 * Runs a pod from a Kubernetes manifest, waits until it is ready, and removes it with its files.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/run-manifest.ts
 */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient } from "k8s-cri-client";
import { runManifest } from "k8s-cri-client/kubernetes";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: { name: site }
data: { index.html: "Hello from a ConfigMap" }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - { name: server, image: "${image}", command: [httpd, -f, -h, /site], volumeMounts: [{ name: site, mountPath: /site }] }
  volumes: [{ name: site, configMap: { name: site } }]
`;
// Without these settings, the files are in the directories of the node, and the pod has a cgroup with limits.
const root = await mkdtemp(join(tmpdir(), "run-manifest-"));
const node = { rootDirectory: join(root, "pods"), podLogsDirectory: join(root, "logs"), cgroupsPerQos: false };

await using cri = await CriClient.connect();
await using web = await runManifest(cri, manifest, { node });
await web.waitReady({ timeoutMs: 60_000 });
console.log(`${web.namespace}/${web.name}`, web.columns());
await web.dispose();
assert.deepEqual(await readdir(join(root, "pods/pods")), []);
await rm(root, { recursive: true });
