/**
 * Runs a shell of a container in your terminal. Ctrl-P Ctrl-Q detaches and leaves the shell running.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/exec-interactive.ts [container-id]
 *
 * Creates a container if you name none. Without a terminal, the shell reads commands from a pipe. Try
 * `echo "id; exit 3" | npx tsx examples/exec-interactive.ts`.
 */
import assert from "node:assert/strict";
import { CriClient } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
const id = process.argv[2];

await using cri = await CriClient.connect();
if (id !== undefined) {
  await shell(cri.containers.get(id));
} else {
  await using pod = await cri.pods.run({ name: "exec-interactive" });
  await using container = await cri.runContainerInSandbox(pod, { name: "main", image, command: ["sleep", "3600"] });
  await shell(container);
}

async function shell(container: ReturnType<typeof cri.containers.get>): Promise<void> {
  const result = await container.execInteractive(["sh"]);
  console.log(
    result.detached ? "Detached. The shell is still running." : `The shell exited with code ${result.exitCode}.`,
  );
  assert.equal(await container.state(), "running"); // the end of the shell does not end the container
}
