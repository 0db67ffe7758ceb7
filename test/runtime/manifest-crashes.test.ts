/** Pods from manifests whose program or runtime is killed. */
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { NodeConfig } from "k8s-cri-client/kubernetes";
import { test } from "vitest";
import { thorough } from "../support/thorough.js";
import { journeyNode } from "./helpers/journey-node.js";
import { journeys } from "./helpers/journeys.js";
import { type NodeResource, nodeResourcesOf } from "./helpers/node-resources.js";
import { NodeAgent } from "./helpers/pod-on-node.js";

/** When a program is killed, in milliseconds after it began to run a pod. A pod takes about a second to become ready. */
const killedAfterMs = thorough ? Array.from({ length: 40 }, (_, index) => index * 50) : [50, 300, 700];

journeys("manifest-crashes", (fixture) => {
  const { runtime } = fixture;

  /** A pod with a tmpfs, a sub-path, a cgroup and a log. Its containers count their starts in a file of the pod. */
  const manifest = (name: string) => `
apiVersion: v1
kind: Secret
metadata: { name: login, namespace: ${fixture.namespace} }
stringData: { password: s3cret }
---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${fixture.namespace} }
spec:
  terminationGracePeriodSeconds: 1
  volumes:
    - { name: login, secret: { secretName: login } }
    - { name: work, emptyDir: { medium: Memory } }
  initContainers:
    - name: init
      image: ${fixture.image}
      command: [sh, -c, "mkdir /work/sub"]
      volumeMounts: [{ name: work, mountPath: /work }]
  containers:
    - name: main
      image: ${fixture.image}
      command: [sh, -c, "echo x >> /sub/starts; exec sleep 1000000"]
      resources: { limits: { memory: 64Mi, cpu: 100m } }
      volumeMounts:
        - { name: login, mountPath: /login }
        - { name: work, mountPath: /sub, subPath: sub }
      readinessProbe: { exec: { command: [grep, -q, s3cret, /login/password] }, periodSeconds: 1 }
`;

  /** What pods use on the node, without the cgroup above all pods, which stays. */
  const resources = (): NodeResource[] =>
    nodeResourcesOf(runtime.endpoint).filter(({ name }) => !/kubepods(\/(burstable|besteffort))?$/.test(name));

  /** Runs a pod in a program, and kills the program when `moment` has come. */
  const killDuring = async (document: string, config: NodeConfig, moment: () => Promise<unknown>) => {
    await using program = await NodeAgent.start(runtime);
    const run = program.run(document, config).catch(() => {});
    await moment();
    await program.kill();
    await run;
  };

  test("the next run continues a pod whose program was killed, and leaves nothing on the node", async ({ expect }) => {
    await using node = await journeyNode();
    const before = resources();
    const document = manifest(fixture.name());
    const killed = await NodeAgent.start(runtime);
    const first = await killed.run(document, node.config);
    await first.waitReady();
    await killed.kill();
    await killed[Symbol.asyncDispose]();
    {
      await using agent = await NodeAgent.start(runtime);
      const next = await agent.run(document, node.config);
      expect([first.run.adopted, next.run.adopted]).toEqual([false, true]);
      await next.waitReady();
      expect(await next.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
      expect(await next.shell("main", "cat /sub/starts")).toBe("x");
      await next.dispose();
    }
    await expect.poll(resources).toEqual(before);
    const { rootDirectory, podLogsDirectory } = node.config;
    expect([await readdir(`${rootDirectory}/pods`), await readdir(podLogsDirectory)]).toEqual([[], []]);
  });

  test("a pod whose program was killed while it started becomes ready in the next run, which leaves nothing on the node", async ({
    expect,
  }) => {
    await using node = await journeyNode();
    const document = manifest(fixture.name());
    for (const delayMs of killedAfterMs) {
      await killDuring(document, node.config, () => sleep(delayMs));
      await using agent = await NodeAgent.start(runtime);
      const next = await agent.run(document, node.config);
      await next.waitReady();
      await next.dispose();
      const { rootDirectory, podLogsDirectory } = node.config;
      // Not all resources: a runtime whose caller is killed during RunPodSandbox sometimes leaves a shim; see docs/reliability.md.
      const ofPod = () => resources().filter(({ name }) => name.includes(rootDirectory) || name.includes(next.uid));
      await expect.poll(ofPod).toEqual([]);
      expect([await readdir(`${rootDirectory}/pods`), await readdir(podLogsDirectory)]).toEqual([[], []]);
    }
  });

  test("a pod that never restarts runs although its program was killed during StartContainer", async ({ expect }) => {
    await using node = await journeyNode();
    // A start takes 50 to 200 ms.
    for (const delayMs of thorough ? Array.from({ length: 8 }, (_, index) => index * 18) : [20, 80]) {
      const name = fixture.name();
      const document = manifest(name).replace("spec:", "spec:\n  restartPolicy: Never");
      const labels = { "io.kubernetes.pod.name": name, "io.kubernetes.container.name": "main" };
      const isCreated = async () => (await fixture.cri.containers.list({ labels })).length > 0;
      await killDuring(document, node.config, async () => {
        await expect.poll(isCreated, { timeout: 30_000, interval: 5 }).toBe(true);
        await sleep(delayMs);
      });
      await using agent = await NodeAgent.start(runtime);
      const next = await agent.run(document, node.config);
      await next.waitReady();
      expect(await next.columns()).toMatchObject({ ready: "1/1", status: "Running" });
      await next.dispose();
    }
  });

  test("containers of a pod run on while the runtime restarts", async ({ expect }) => {
    await using node = await journeyNode();
    await using agent = await NodeAgent.start(runtime);
    const pod = await agent.run(manifest(fixture.name()), node.config);
    await pod.waitReady();
    await runtime.kill();
    await runtime.start();
    await pod.waitReady();
    expect(await pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
    // While the program waits to connect again, for at most half a second, its calls fail.
    await expect.poll(() => pod.shell("main", "cat /sub/starts").catch(String)).toBe("x");
    await pod.dispose();
  });
});
