/**
 * Runs programs from docstrings, those of the current directory, each with a pod and a container on a runtime of its own. Prints
 * `ran NAME` after each. The name of a program without an end ends with `.endless`: it is stopped once it has printed something,
 * and must then fail with the reason.
 *
 * @module
 */
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describeNode, planPod, readManifests } from "k8s-cri-client/kubernetes";
import { current } from "./docstring-context.js";
import { inTime, untilPrinted } from "./running.js";
import { Scene } from "./scene.js";

const podManifest = `
apiVersion: v1
kind: Pod
metadata: { name: planned }
spec: { containers: [{ name: main, image: "busybox:1.37", command: [sleep, "60"] }] }
`;

const kubelet = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

const project = process.cwd();
for (const name of process.argv.splice(2)) {
  await inTime(run(name)).catch((error) => console.error(name, error));
  console.log("ran", name);
}

async function run(name: string): Promise<void> {
  await using scene = await Scene.create();
  const { folder, image, runtime } = scene;
  const controller = new AbortController();
  const { signal } = controller;
  const cri = scene.cri.with({ signal });
  await using pod = await scene.pod(cri);
  await using container = await scene.container(pod);
  const config = { metadata: { name: "main" }, image: { image }, command: ["true"] };
  await writeFile("pod.yaml", JSON.stringify({ metadata: { name: "crictl", namespace: "default" } }));
  await writeFile("container.yaml", JSON.stringify(config));
  await writeFile("server.log", "2026-11-29T12:00:00.000000000Z stdout F ready\n");
  const directories = { rootDirectory: join(folder, "pods"), podLogsDirectory: join(folder, "logs") };
  await mkdir(directories.podLogsDirectory);
  const node = await describeNode(cri, { ...directories, cgroupsPerQos: false });
  const [planned] = readManifests(podManifest).pods;
  const read = ((path: string, encoding: "utf8") =>
    path === "/var/lib/kubelet/config.yaml" ? kubelet : readFile(path, encoding)) as unknown as typeof readFile;
  current.context = {
    cri,
    pod,
    container,
    plan: planPod(planned!, { node }),
    runtime: runtime!,
    response: new ServerResponse(new IncomingMessage(new Socket())),
    signal,
    readFile: read,
  };
  const file = pathToFileURL(join(project, `${name}.ts`)).href;
  if (!name.endsWith(".endless")) return void (await import(file));
  const printed = untilPrinted().then(() => true);
  const ended = import(file).then(() => assert.fail("the program ended by itself"));
  // Containers come and go until the program has reported something.
  for (let attempt = 0; !(await Promise.race([printed, ended, setTimeout(100, false)])); attempt++) {
    await using _short = await pod.runContainer({ name: "short", attempt, image, command: ["true"] });
  }
  controller.abort(new Error("the program was stopped"));
  await assert.rejects(ended, /the program was stopped/);
}
