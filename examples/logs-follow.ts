/**
 * Follows the log of a container through a rotation, until the container exits.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/logs-follow.ts
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
const count = "i=0; while [ $i -lt 20 ]; do i=$((i + 1)); echo line $i; sleep 0.1; done; echo the end >&2";

const logDirectory = await mkdtemp(join(tmpdir(), "logs-"));
try {
  await using cri = await CriClient.connect();
  await using pod = await cri.pods.run({ name: "logs-follow", logDirectory });
  await using container = await cri.runContainerInSandbox(pod, { name: "main", image, command: ["sh", "-c", count] });

  let lines = 0;
  for await (const { timestamp, stream, text } of container.logs({ follow: true })) {
    console.log(timestamp, stream, text);
    if (stream === "stdout") assert.equal(text, `line ${++lines}`);
    if (lines === 5 && stream === "stdout") console.log("Rotated to", await container.rotateLog());
  }
  assert.equal(lines, 20);
} finally {
  await rm(logDirectory, { recursive: true });
}
