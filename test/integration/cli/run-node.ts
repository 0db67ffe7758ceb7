/** A node on which `run` works without root: a fake runtime, and a folder for manifests, logs and the files of pods. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FakeRuntimeOptions } from "../../../src/testing/index.js";
import { startFake } from "../support.js";

/** Starts a node. `options` are those that `run` needs on it; `left` counts the pods and the folders of pods. */
export async function startRunNode(fakeOptions: FakeRuntimeOptions = {}) {
  const { runtime, cri } = await startFake(fakeOptions);
  const folder = await mkdtemp(join(tmpdir(), "cli-run-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const kubelet = { kind: "KubeletConfiguration", apiVersion: "kubelet.config.k8s.io/v1beta1" };
  const config = { ...kubelet, cgroupsPerQOS: false, podLogsDir: join(folder, "logs") };
  await mkdir(join(folder, "logs"));
  await writeFile(join(folder, "kubelet.json"), JSON.stringify(config));
  await writeFile(join(folder, "auth.json"), "{}");
  const node = ["--kubelet-config", join(folder, "kubelet.json"), "--root-directory", join(folder, "root")];
  const options = ["--endpoint", runtime.endpoint, "--auth-file", join(folder, "auth.json"), ...node];
  const file = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const left = async () => [runtime.pods.length, (await readdir(join(folder, "root", "pods")).catch(() => [])).length];
  return { runtime, cri, folder, options, file, left, endpoint: runtime.endpoint };
}

/** A pod that runs until it is stopped. */
export const forever = `
apiVersion: v1
kind: Pod
metadata: { name: web, namespace: shop }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: main, image: "busybox:1" }]
`;
