import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { BackendContainer, ContainerScript } from "../../../src/testing/index.js";
import { rejection } from "../support.js";
import { startPod } from "./support.js";

/** Waits at most this long in tests whose pods get ready or end by themselves. */
const limit = { timeoutMs: 20_000 };

const main = { name: "main", image: "busybox:1" };

/** A script by the name and the attempt of a container. */
function scripts(script: (name: string, attempt: number) => ContainerScript | undefined) {
  return ({ config }: BackendContainer) => script(config.metadata?.name ?? "", config.metadata?.attempt ?? 0);
}

describe("a running pod", () => {
  test("is ready, and is removed with everything when it is disposed of", async () => {
    const { runtime, pod, plan } = await startPod({ containers: [main] });
    await pod.waitReady(limit);
    expect(pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
    await pod.dispose();
    expect([runtime.pods, runtime.containers]).toEqual([[], []]);
    await expect(access(plan.podDirectory)).rejects.toThrow("ENOENT");
    await expect(access(plan.logDirectory)).rejects.toThrow("ENOENT");
  });

  test("sends exactly the planned messages", async () => {
    const { runtime, pod, plan } = await startPod({ containers: [main] });
    await pod.waitReady(limit);
    expect(runtime.callsOf("RunPodSandbox").map(({ request }) => request)).toEqual([plan.sandbox(0)]);
    const [pull] = runtime.callsOf("PullImage");
    expect(pull).toBeUndefined();
    const [created] = runtime.callsOf("CreateContainer");
    const { config, podSandboxId } = created!.request;
    const image = { id: config?.image?.image ?? "" };
    const facts = { podSandboxId, podIPs: pod.status().podIPs, attempt: 0, image, imageVolumes: {} };
    expect(created?.request).toEqual(plan.createContainer(plan.containers[0]!, facts, plan.sandbox(0).config!));
  });

  test("reads the addresses of a sandbox once, even if it has none", async () => {
    const containers = [main, { name: "other", image: "busybox:1" }];
    const { runtime, pod } = await startPod({ hostNetwork: true, containers });
    await pod.waitReady(limit);
    expect(runtime.callsOf("PodSandboxStatus")).toHaveLength(1);
  });

  test("runs init containers one after the other before the main containers", async () => {
    const { runtime, pod } = await startPod(
      {
        initContainers: [
          { name: "first", image: "busybox:1" },
          { name: "second", image: "busybox:1" },
        ],
        containers: [main, { name: "other", image: "busybox:1" }],
      },
      { fake: { run: scripts((name) => (["first", "second"].includes(name) ? { exitCode: 0, afterMs: 5 } : {})) } },
    );
    await pod.waitReady(limit);
    const order = runtime.callsOf("CreateContainer").map(({ request }) => request.config?.metadata?.name);
    expect(order).toEqual(["first", "second", "main", "other"]);
    expect(pod.columns()).toEqual({ ready: "2/2", status: "Running", restarts: 0 });
  });

  test("runs a job again until it succeeds, and reports its exit code", async () => {
    const { runtime, pod } = await startPod(
      { restartPolicy: "OnFailure", containers: [main] },
      { fake: { run: scripts((_, attempt) => ({ exitCode: attempt < 2 ? 3 : 0, afterMs: 1 })) } },
    );
    expect(await pod.wait(limit)).toEqual({ phase: "Succeeded", reason: undefined, exitCodes: { main: 0 } });
    expect(pod.columns()).toEqual({ ready: "0/1", status: "Completed", restarts: 2 });
    expect(runtime.callsOf("CreateContainer")).toHaveLength(3);
  });

  test("keeps the last attempts of a container that fails again and again, with their logs", async () => {
    const { runtime, pod, plan } = await startPod(
      { restartPolicy: "OnFailure", containers: [main] },
      { fake: { run: scripts((_, attempt) => ({ exitCode: attempt < 9 ? 3 : 0, afterMs: 1, stdout: "x\n" })) } },
    );
    expect(await pod.wait(limit)).toMatchObject({ exitCodes: { main: 0 } });
    const attempts = runtime.containers.map(({ metadata }) => metadata?.attempt);
    expect(attempts.length).toBeLessThanOrEqual(6);
    expect(attempts).toContain(9);
    const logs = await readdir(join(plan.logDirectory, "main"));
    expect(logs.sort()).toEqual(attempts.map((attempt) => `${attempt}.log`).sort());
  });

  test("fails if a container of restartPolicy Never fails", async () => {
    const { pod } = await startPod(
      { restartPolicy: "Never", containers: [main, { name: "good", image: "busybox:1" }] },
      { fake: { run: scripts((name) => ({ exitCode: name === "main" ? 7 : 0, afterMs: 1 })) } },
    );
    expect(await pod.wait(limit)).toEqual({ phase: "Failed", reason: undefined, exitCodes: { main: 7, good: 0 } });
    expect(await rejection(pod.waitReady(limit))).toMatchObject({ code: "FAILED_PRECONDITION" });
  });

  test("fails without main containers if an init container of restartPolicy Never fails", async () => {
    const { runtime, pod } = await startPod(
      { restartPolicy: "Never", initContainers: [{ name: "init", image: "busybox:1" }], containers: [main] },
      { fake: { run: scripts(() => ({ exitCode: 1, afterMs: 1 })) } },
    );
    expect(await pod.wait(limit)).toEqual({ phase: "Failed", reason: undefined, exitCodes: { init: 1 } });
    expect(pod.columns().status).toBe("Init:Error");
    expect(runtime.callsOf("CreateContainer")).toHaveLength(1);
  });

  test("reports CrashLoopBackOff between restarts, with the last exit", async () => {
    const { pod } = await startPod(
      { containers: [main] },
      { fake: { run: scripts(() => ({ exitCode: 1, afterMs: 1 })) }, node: { maxRestartDelayMs: 60_000 } },
    );
    await expect.poll(() => pod.columns()).toEqual({ ready: "0/1", status: "CrashLoopBackOff", restarts: 1 });
    const [status] = pod.status().containerStatuses;
    expect(status?.state.waiting?.message).toMatch(/^back-off 10s restarting failed container=main pod=web_default\(/);
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
    expect(pod.status().phase).toBe("Running");
  });

  test("stops sidecars after the main containers, the last one first", async () => {
    const { runtime, pod } = await startPod({
      initContainers: [
        { name: "proxy", image: "busybox:1", restartPolicy: "Always" },
        { name: "logger", image: "busybox:1", restartPolicy: "Always" },
      ],
      containers: [main],
    });
    await pod.waitReady(limit);
    expect(pod.columns()).toEqual({ ready: "3/3", status: "Running", restarts: 0 });
    const names = new Map(runtime.containers.map(({ id, metadata }) => [id, metadata?.name]));
    await pod.dispose();
    const stopped = runtime.callsOf("StopContainer").map(({ request }) => names.get(request.containerId));
    expect(stopped.slice(0, 3)).toEqual(["main", "logger", "proxy"]);
  });

  test("ends sidecars when the main containers have ended", async () => {
    const { pod } = await startPod(
      {
        restartPolicy: "Never",
        initContainers: [{ name: "proxy", image: "busybox:1", restartPolicy: "Always" }],
        containers: [main],
      },
      { fake: { run: scripts((name) => (name === "main" ? { exitCode: 0, afterMs: 20 } : {})) } },
    );
    expect(await pod.wait(limit)).toMatchObject({ phase: "Succeeded", exitCodes: { main: 0 } });
  });

  test("restarts a container whose liveness probe fails, and is ready again", async () => {
    let healthy = true;
    const { pod } = await startPod(
      {
        containers: [
          { ...main, livenessProbe: { exec: { command: ["check"] }, periodSeconds: 1, failureThreshold: 1 } },
        ],
        terminationGracePeriodSeconds: 1,
      },
      {
        fake: {
          run: () => ({ onSignal: () => 0 }),
          exec: (container) => ({
            exitCode: healthy || container.config.metadata?.attempt ? 0 : 1,
            stderr: "not healthy",
          }),
        },
      },
    );
    await pod.waitReady(limit);
    healthy = false;
    await expect.poll(() => pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 1 });
    const reasons: string[] = [];
    for await (const { reason, message } of pod.events()) {
      reasons.push(reason);
      if (reason === "Unhealthy") expect(message).toBe("Liveness probe failed: not healthy");
      if (reason === "Killing") expect(message).toBe("Container main failed liveness probe, will be restarted");
      if (reasons.filter((one) => one === "Started").length === 2) break;
    }
    expect(reasons).toEqual(["Pulled", "Created", "Started", "Unhealthy", "Killing", "Pulled", "Created", "Started"]);
  });

  test("is not ready while a readiness probe fails", async () => {
    let ready = false;
    const { pod } = await startPod(
      {
        containers: [
          { ...main, readinessProbe: { exec: { command: ["check"] }, periodSeconds: 1, failureThreshold: 1 } },
        ],
      },
      { fake: { exec: () => ({ exitCode: ready ? 0 : 1 }) } },
    );
    await expect.poll(() => pod.columns()).toEqual({ ready: "0/1", status: "Running", restarts: 0 });
    const error = await rejection(pod.waitReady({ timeoutMs: 50 }));
    expect(error).toMatchObject({
      code: "DEADLINE_EXCEEDED",
      details: "pod default/web (main: running, not ready) did not become ready within 50 ms",
    });
    ready = true;
    await pod.waitReady(limit);
    ready = false;
    await expect.poll(() => pod.columns().ready).toBe("0/1");
  });

  test("starts the next container when the startup probe of a sidecar has passed", async () => {
    let started = false;
    const { runtime, pod } = await startPod(
      {
        initContainers: [
          {
            name: "proxy",
            image: "busybox:1",
            restartPolicy: "Always",
            startupProbe: { exec: { command: ["check"] }, periodSeconds: 1, failureThreshold: 100 },
          },
        ],
        containers: [main],
      },
      { fake: { exec: () => ({ exitCode: started ? 0 : 1 }) } },
    );
    await runtime.nextCall("ExecSync");
    expect(runtime.callsOf("CreateContainer")).toHaveLength(1);
    expect(pod.columns().status).toBe("Init:0/1");
    started = true;
    await pod.waitReady(limit);
  });

  test("tries an image again that cannot be pulled, and names the reason", async () => {
    const { runtime, pod } = await startPod(
      { containers: [{ name: "main", image: "registry.example/gone:1" }] },
      { fake: { registry: { "registry.example/*": "missing" } }, node: { maxRestartDelayMs: 60_000 } },
    );
    await expect.poll(() => pod.columns().status).toBe("ErrImagePull");
    const error = await rejection(pod.waitReady({ timeoutMs: 20 }));
    expect((error as Error).message).toContain("main: ErrImagePull: ");
    await expect.poll(() => pod.columns().status).toBe("ImagePullBackOff");
    const { message } = pod.status().containerStatuses[0]?.state.waiting ?? {};
    expect(message).toMatch(/^Back-off pulling image "registry.example\/gone:1": .*not found/);
    expect(runtime.callsOf("PullImage")).toHaveLength(1);
  });

  test("restarts all containers if a rule says so", async () => {
    let exitMain = (_: number) => {};
    const exit = new Promise<number>((resolve) => (exitMain = resolve));
    const { runtime, pod } = await startPod(
      {
        initContainers: [{ name: "init", image: "busybox:1" }],
        containers: [
          {
            ...main,
            restartPolicy: "Never",
            restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }],
          },
          { name: "other", image: "busybox:1" },
        ],
        terminationGracePeriodSeconds: 1,
      },
      {
        fake: {
          run: scripts((name, attempt) => {
            if (name === "init") return { exitCode: 0, afterMs: 1 };
            return name === "main" && attempt === 0 ? { exitCode: exit } : { onSignal: () => 0 };
          }),
        },
      },
    );
    await pod.waitReady(limit);
    exitMain(42);
    await expect.poll(() => pod.columns()).toMatchObject({ ready: "2/2", restarts: 2 });
    const created = runtime.callsOf("CreateContainer").map(({ request }) => request.config?.metadata?.name);
    expect(created).toEqual(["init", "main", "other", "init", "main", "other"]);
    expect(runtime.callsOf("RunPodSandbox")).toHaveLength(1);
  });

  test("creates a sandbox again that has died, with all containers", async () => {
    const { runtime, pod } = await startPod(
      { containers: [main], terminationGracePeriodSeconds: 1 },
      { node: { maxRestartDelayMs: 10 } },
    );
    await pod.waitReady(limit);
    const [before] = runtime.pods;
    const cri = await runtime.connect();
    onTestFinished(() => cri.close());
    await cri.pods.get(before!.id).stop();
    await expect.poll(() => runtime.callsOf("RunPodSandbox").length).toBe(2);
    // The container ends before the sandbox, so it may be restarted once more.
    await expect.poll(() => pod.columns()).toMatchObject({ ready: "1/1", status: "Running" });
    expect(pod.columns().restarts).toBeGreaterThan(0);
    expect(runtime.callsOf("RunPodSandbox")[1]?.request.config?.metadata?.attempt).toBe(1);
  });
});
