/**
 * Runs a pod with a container, step by step from creation to removal.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/lifecycle.ts
 */
import assert from "node:assert/strict";
import { ContainerState, CriClient, CriError, PodSandboxState } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";

await using cri = await CriClient.connect();
const pod = await cri.pods.run({ name: "lifecycle", labels: { example: "lifecycle" } });
try {
  assert.equal((await pod.status()).state, PodSandboxState.SANDBOX_READY);

  // After the creation the image is on the node, but the process is not running yet.
  const container = await pod.createContainer({ name: "main", image, command: ["sleep", "60"] });
  assert.equal((await container.status()).state, ContainerState.CONTAINER_CREATED);
  await container.start();

  const { exitCode, stdout } = await container.execSync(["hostname"], { commandTimeoutSeconds: 10 });
  assert.deepEqual({ exitCode, stdout }, { exitCode: 0, stdout: "lifecycle\n" });

  // The exit code is available until the container is removed.
  await container.stop({ gracePeriodSeconds: 0 });
  assert.equal((await container.wait()).exitCode, 137);
  await container.remove();
  await assert.rejects(container.status(), (error) => CriError.is(error, "NOT_FOUND"));
} finally {
  await pod.dispose();
}
assert.deepEqual(await cri.pods.list({ id: pod.id }), []);
console.log(`Pod ${pod.id} was created, used and removed.`);
