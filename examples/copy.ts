/**
 * Copies a folder into a container and back, and runs a command with input.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/copy.ts
 */
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CriClient } from "k8s-cri-client";

const image = process.env.CRI_IMAGE ?? "docker.io/library/busybox:1.37";
const here = await mkdtemp(join(tmpdir(), "copy-"));
try {
  await mkdir(join(here, "site/empty"), { recursive: true });
  await writeFile(join(here, "site/index.html"), "<h1>Hello</h1>\n");

  await using cri = await CriClient.connect();
  await using pod = await cri.pods.run({ name: "copy" });
  await using web = await cri.runContainerInSandbox(pod, { name: "web", image, command: ["sleep", "60"] });

  await web.copyTo(join(here, "site"), "/srv/site");
  await web.copyFrom("/srv/site", join(here, "back"));
  assert.equal(await readFile(join(here, "back/index.html"), "utf8"), "<h1>Hello</h1>\n");

  const { exitCode, stdout } = await web.execOutput(["wc", "-c"], { input: "twelve bytes" });
  assert.deepEqual({ exitCode, stdout: stdout.trim() }, { exitCode: 0, stdout: "12" });
  console.log("Copied a folder into the container and back. The command read all of its input.");
} finally {
  await rm(here, { recursive: true });
}
