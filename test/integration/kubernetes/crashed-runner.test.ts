import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type NodeConfig, removePod } from "../../../src/kubernetes/index.js";
import { ScriptedBackend } from "../../../src/testing/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { thorough } from "../../support/thorough.js";
import { rejection, startFake } from "../support.js";
import type { Settings } from "./programs/run-until-killed.js";
import { planOf, podOf, startPod } from "./support.js";

const limit = { timeoutMs: 20_000 };

const spec = {
  terminationGracePeriodSeconds: 0,
  volumes: [{ name: "work", emptyDir: {} }],
  initContainers: [{ name: "init", image: "busybox:1", command: ["true"] }],
  containers: [{ name: "main", image: "busybox:1", volumeMounts: [{ name: "work", mountPath: "/work" }] }],
};

async function filesOf({ rootDirectory, podLogsDirectory }: NodeConfig): Promise<string[]> {
  const inFolder = async (path: string) => (await readdir(path).catch(() => [])).map((name) => join(path, name));
  const folders = [join(rootDirectory, "pods"), join(rootDirectory, "locks"), podLogsDirectory];
  return (await Promise.all(folders.map(inFolder))).flat();
}

describe("the next run of a document", () => {
  test("continues the pod that an earlier run released", async () => {
    const { runtime, cri, plan, pod } = await startPod(spec);
    await pod.waitReady(limit);
    const before = runtime.containers.map(({ id }) => id);
    await pod.release();
    await pod.dispose();
    const next = await plan.run(cri);
    onTestFinished(() => next.dispose());
    await next.waitReady(limit);
    expect([pod.adopted, next.adopted]).toEqual([false, true]);
    expect(runtime.containers.map(({ id }) => id)).toEqual(before);
    expect(runtime.callsOf("CreateContainer")).toHaveLength(2);
  });

  test("continues the restarts of an earlier run", async () => {
    const { runtime, cri, plan, pod } = await startPod(spec);
    await pod.waitReady(limit);
    await pod.container("main").stop({ gracePeriodSeconds: 0 });
    await expect.poll(() => pod.columns().restarts).toBe(1);
    await pod.waitReady(limit);
    await pod.release();
    const { id } = runtime.containers.find(({ state }) => String(state) === "1")!;
    await cri.containers.get(id).stop({ gracePeriodSeconds: 0 });
    const next = await plan.run(cri);
    onTestFinished(() => next.dispose());
    await expect.poll(() => next.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 2 });
  });

  test("starts a container again whose start was interrupted, also if it never restarts", async () => {
    const backend = new ScriptedBackend();
    const { start } = backend;
    let starts = 0;
    backend.start = (container) => {
      // What containerd says if its caller has gone.
      if (starts++ === 0) throw new Error("failed to start containerd task: context canceled");
      return start.call(backend, container);
    };
    const container = { name: "main", image: "busybox:1", terminationMessagePolicy: "FallbackToLogsOnError" } as const;
    const { pod } = await startPod({ restartPolicy: "Never", containers: [container] }, { fake: { backend } });
    await pod.waitReady(limit);
    expect(pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 1 });
    const lastState = { terminated: { exitCode: 128, reason: "StartError" } };
    expect(pod.status().containerStatuses).toMatchObject([{ lastState }]);
  });

  test("replaces the pod of another version of the document", async () => {
    const { runtime, cri, node, plan, pod } = await startPod(spec);
    await pod.waitReady(limit);
    await pod.release();
    const changed = planOf({ ...spec, containers: [{ name: "other", image: "busybox:1" }] }, node);
    const next = await changed.run(cri);
    onTestFinished(() => next.dispose());
    await next.waitReady(limit);
    expect(next.adopted).toBe(false);
    expect(runtime.pods.map(({ metadata }) => metadata?.uid)).toEqual([changed.uid]);
    expect(await readdir(join(node.rootDirectory, "pods"))).toEqual([changed.uid]);
    expect(changed.uid).not.toBe(plan.uid);
  });

  test("is refused while the pod is run, also with another version of the document", async () => {
    const { cri, node, plan, pod } = await startPod(spec);
    await pod.waitReady(limit);
    const changed = planOf({ ...spec, initContainers: [] }, node);
    for (const one of [plan, changed]) expect(await rejection(one.run(cri))).toMatchObject({ code: "ALREADY_EXISTS" });
    expect(await rejection(removePod(cri, { name: "web" }, { node }))).toMatchObject({ code: "ALREADY_EXISTS" });
    expect(pod.columns().status).toBe("Running");
  });

  test("does not touch the pod of a kubelet with the same name", async () => {
    const { runtime, cri } = await startFake();
    await using at = await temporaryNode();
    const plan = planOf(spec, at.node);
    const { config } = plan.sandbox(0);
    const labels = { ...config?.labels, "io.kubernetes.pod.uid": "of-a-kubelet" };
    const kubelets = await cri.pods.run({ name: "web", namespace: "default", uid: "of-a-kubelet", labels });
    const pod = await plan.run(cri);
    await pod.waitReady(limit);
    await pod.dispose();
    expect(runtime.pods.map(({ id }) => id)).toEqual([kubelets.id]);
  });
});

describe("removePod", () => {
  test("removes a pod by its name, and succeeds if there is none", async () => {
    const { runtime, cri, node, pod } = await startPod(spec);
    await pod.waitReady(limit);
    await pod.release();
    await removePod(cri, { name: "other" }, { node });
    expect(runtime.pods).toHaveLength(1);
    await removePod(cri, { name: "web" }, { node, gracePeriodSeconds: 0 });
    expect([runtime.pods, runtime.containers, await filesOf(node)]).toEqual([[], [], []]);
  });
});

describe("a runner that is killed", () => {
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  let folder = "";
  beforeAll(async () => {
    await mkdir(join(root, ".cache"), { recursive: true });
    folder = await mkdtemp(join(root, ".cache", "killed-"));
    await build({
      absWorkingDir: root,
      entryPoints: ["test/integration/kubernetes/programs/run-until-killed.ts"],
      outfile: join(folder, "program.js"),
      ...{ bundle: true, packages: "external", platform: "node", format: "esm", target: "node20", logLevel: "error" },
    });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** Runs the program. Returns whether it was killed. */
  async function run(settings: Settings): Promise<boolean> {
    const child = spawn(process.execPath, [join(folder, "program.js"), JSON.stringify(settings)], { stdio: "inherit" });
    const [code, signal] = await once(child, "exit");
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`the program ended with ${code ?? signal}`);
    return signal === "SIGKILL";
  }

  // A run makes fewer changes than this.
  const points = Array.from({ length: 20 }, (_, index) => index + 1);
  const phases = ["before", "after"] as const;

  test.each(phases)(
    "%s any call leaves nothing that the next run or removePod does not remove",
    { timeout: 600_000 },
    async (phase) => {
      const { runtime, cri } = await startFake();
      const steps = thorough ? 1 : 4;
      for (const killAt of points.filter((point) => point % steps === (phase === "before" ? 0 : 2 % steps))) {
        await using at = await temporaryNode();
        const { node } = at;
        const settings = { endpoint: runtime.endpoint, node, manifest: podOf(spec), killAt, phase };
        const wasKilled = await run(settings);
        if (!wasKilled) {
          expect([runtime.pods, runtime.containers, await filesOf(node)], `${phase} call ${killAt}`).toEqual([
            [],
            [],
            [],
          ]);
          return;
        }
        if (killAt % 4 < 2) {
          const pod = await planOf(spec, node).run(cri);
          await pod.waitReady(limit);
          await pod.dispose();
        } else {
          await removePod(cri, { name: "web" }, { node, gracePeriodSeconds: 0 });
        }
        expect([runtime.pods, runtime.containers, await filesOf(node)], `${phase} call ${killAt}`).toEqual([
          [],
          [],
          [],
        ]);
      }
      throw new Error("the program makes more calls than there are points");
    },
  );
});
