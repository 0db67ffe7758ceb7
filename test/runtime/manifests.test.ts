/** Pods from Kubernetes manifests, as a kubelet would run them. */
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type NodeConfig, type PodPlan, planPod, readManifests } from "k8s-cri-client/kubernetes";
import { expect, test } from "vitest";
import { temporaryNode } from "../support/temporary-node.js";
import { journeys } from "./helpers/journeys.js";

const limit = { timeoutMs: 30_000 };

journeys("manifests", (fixture) => {
  const { cri, image } = fixture;

  /** Plans a pod of this file from YAML. `IMAGE` in it stands for the image of the lab. */
  function planOf(node: NodeConfig, yaml: string): PodPlan {
    const { pods, objects } = readManifests(yaml.replaceAll("IMAGE", image));
    const [pod] = pods;
    if (!pod) throw new Error("the manifest has no pod");
    const metadata = { ...pod.metadata, name: fixture.name(), namespace: fixture.namespace };
    const named = {
      ...objects,
      configMaps: (objects.configMaps ?? []).map((one) => ({
        ...one,
        metadata: { ...one.metadata, namespace: fixture.namespace },
      })),
    };
    return planPod({ ...pod, metadata }, { node, objects: named });
  }

  /** Expects that nothing of a pod is left on the node. */
  async function expectNothingLeft({ uid, podDirectory, logDirectory, node }: PodPlan): Promise<void> {
    expect(await cri.pods.list({ labels: { "io.kubernetes.pod.uid": uid } })).toEqual([]);
    expect(await cri.containers.list({ labels: { "io.kubernetes.pod.uid": uid } })).toEqual([]);
    await expect(access(podDirectory)).rejects.toThrow("ENOENT");
    await expect(access(logDirectory)).rejects.toThrow("ENOENT");
    expect(await readdir(join(node.rootDirectory, "locks"))).toEqual([]);
  }

  test("a web server with an init container and a ConfigMap becomes ready, serves, and is removed with everything", async () => {
    await using at = await temporaryNode();
    const plan = planOf(
      at.node,
      `
apiVersion: v1
kind: ConfigMap
metadata: { name: site }
data: { title: "Hello from a ConfigMap" }
---
apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  terminationGracePeriodSeconds: 1
  volumes:
    - { name: site, configMap: { name: site } }
    - { name: www, emptyDir: {} }
  initContainers:
    - name: build
      image: IMAGE
      command: [sh, -c, "cp /site/title /www/index.html; id -u > /dev/termination-log"]
      volumeMounts: [{ name: site, mountPath: /site }, { name: www, mountPath: /www }]
  containers:
    - name: server
      image: IMAGE
      command: [httpd, -f, -p, "8080", -h, /www]
      volumeMounts: [{ name: www, mountPath: /www, readOnly: true }]
      ports: [{ name: http, containerPort: 8080 }]
      readinessProbe: { exec: { command: [wget, -qO-, "http://127.0.0.1:8080/index.html"] }, periodSeconds: 1 }
`,
    );
    {
      await using web = await plan.run(cri);
      await web.waitReady(limit);
      expect(web.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
      expect(web.status().initContainerStatuses[0]?.state.terminated).toMatchObject({ exitCode: 0, message: "0\n" });
      const { stdout } = await web.container("server").execSync(["wget", "-qO-", "http://127.0.0.1:8080/index.html"]);
      expect(stdout).toBe("Hello from a ConfigMap");
    }
    await expectNothingLeft(plan);
  });

  test("a job that fails twice succeeds, and all its attempts are in the merged log", async () => {
    await using at = await temporaryNode();
    const plan = planOf(
      at.node,
      `
apiVersion: v1
kind: Pod
metadata: { name: job }
spec:
  restartPolicy: OnFailure
  volumes: [{ name: work, emptyDir: {} }]
  containers:
    - name: work
      image: IMAGE
      command: [sh, -c, "echo x >> /work/runs; n=$(wc -l < /work/runs); sleep 1; echo attempt $n; test $n -eq 3"]
      volumeMounts: [{ name: work, mountPath: /work }]
`,
    );
    await using job = await plan.run(cri);
    const lines: string[] = [];
    for await (const { container, text } of job.logs({ follow: true, timeoutMs: 60_000 }))
      lines.push(`${container}: ${text}`);
    expect(lines).toEqual(["work: attempt 1", "work: attempt 2", "work: attempt 3"]);
    expect(await job.wait(limit)).toEqual({ phase: "Succeeded", reason: undefined, exitCodes: { work: 0 } });
    expect(job.columns()).toEqual({ ready: "0/1", status: "Completed", restarts: 2 });
    await job.dispose();
    await expectNothingLeft(plan);
  });

  test("a sidecar runs before and until after the main container", async () => {
    await using at = await temporaryNode();
    const plan = planOf(
      at.node,
      `
apiVersion: v1
kind: Pod
metadata: { name: sidecar }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 5
  volumes: [{ name: shared, emptyDir: {} }]
  initContainers:
    - name: collector
      image: IMAGE
      restartPolicy: Always
      command: [sh, -c, "trap 'echo collected $(cat /shared/result); exit 0' TERM; touch /shared/up; while :; do sleep 0.1; done"]
      startupProbe: { exec: { command: [test, -f, /shared/up] }, periodSeconds: 1 }
      volumeMounts: [{ name: shared, mountPath: /shared }]
  containers:
    - name: main
      image: IMAGE
      command: [sh, -c, "test -f /shared/up && echo done > /shared/result"]
      volumeMounts: [{ name: shared, mountPath: /shared }]
`,
    );
    await using pod = await plan.run(cri);
    expect(await pod.wait(limit)).toEqual({
      phase: "Succeeded",
      reason: undefined,
      exitCodes: { collector: 0, main: 0 },
    });
    const lines: string[] = [];
    for await (const { text } of pod.logs({ container: "collector" })) lines.push(text);
    expect(lines).toEqual(["collected done"]);
    await pod.dispose();
    await expectNothingLeft(plan);
  });

  test("probes that fail and recover: not ready meanwhile, and a restart for the liveness probe", async ({
    expect,
  }) => {
    await using at = await temporaryNode();
    const plan = planOf(
      at.node,
      `
apiVersion: v1
kind: Pod
metadata: { name: probes }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: IMAGE
      command: [sh, -c, "touch /tmp/ready /tmp/alive; exec sleep 1000000"]
      readinessProbe: { exec: { command: [test, -f, /tmp/ready] }, periodSeconds: 1, failureThreshold: 1 }
      livenessProbe: { exec: { command: [test, -f, /tmp/alive] }, periodSeconds: 1, failureThreshold: 1 }
`,
    );
    await using pod = await plan.run(cri);
    await pod.waitReady(limit);
    await pod.container("main").execSync(["rm", "/tmp/ready"]);
    await expect.poll(() => pod.columns().ready).toBe("0/1");
    await pod.container("main").execSync(["touch", "/tmp/ready"]);
    await pod.waitReady(limit);
    await pod.container("main").execSync(["rm", "/tmp/alive"]);
    await expect
      .poll(() => pod.columns(), { timeout: 60_000 })
      .toEqual({ ready: "1/1", status: "Running", restarts: 1 });
    expect(pod.status().containerStatuses[0]?.lastState?.terminated?.exitCode).toBe(137);
    await pod.dispose();
    await expectNothingLeft(plan);
  });
});
