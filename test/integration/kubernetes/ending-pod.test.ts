import { describe, expect, onTestFinished, test } from "vitest";
import type { BackendContainer } from "../../../src/testing/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { rejection, startFake } from "../support.js";
import { planOf, startPod } from "./support.js";

const limit = { timeoutMs: 20_000 };
const main = { name: "main", image: "busybox:1" };
const nameOf = ({ config }: BackendContainer) => config.metadata?.name;

describe("the end of a pod", () => {
  test("is still known after the pod was removed", async () => {
    const { pod } = await startPod(
      { restartPolicy: "Never", containers: [main] },
      { fake: { run: () => ({ exitCode: 0, afterMs: 1 }) } },
    );
    const exit = await pod.wait(limit);
    const columns = pod.columns();
    await pod.dispose();
    expect([await pod.wait(limit), pod.columns()]).toEqual([exit, columns]);
    expect(exit).toMatchObject({ phase: "Succeeded", exitCodes: { main: 0 } });
  });

  test("at activeDeadlineSeconds has the exit codes of the stopped containers", async () => {
    const { pod } = await startPod(
      { activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 1, containers: [main] },
      { fake: { run: () => ({ onSignal: () => 3 }) } },
    );
    await pod.waitReady(limit);
    expect(await pod.wait(limit)).toEqual({ phase: "Failed", reason: "DeadlineExceeded", exitCodes: { main: 3 } });
    expect(pod.columns().ready).toBe("0/1");
    expect(pod.status().message).toBe("Pod was active on the node longer than the specified deadline");
  });

  test("at activeDeadlineSeconds does not wait for a pull that hangs", async () => {
    const { runtime, cri } = await startFake({ images: [] });
    await using at = await temporaryNode();
    runtime.hangNext("PullImage");
    const plan = planOf({ activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0, containers: [main] }, at.node);
    await using pod = await plan.run(cri);
    expect(await pod.wait(limit)).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
  });
});

test("a container restarts although another one has failed for good", async () => {
  const { pod } = await startPod(
    {
      terminationGracePeriodSeconds: 0,
      restartPolicy: "Never",
      containers: [
        { ...main, lifecycle: { postStart: { exec: { command: ["register"] } } } },
        { name: "other", image: "busybox:1", restartPolicy: "Always" },
      ],
    },
    {
      fake: {
        exec: () => ({ exitCode: 1 }),
        run: (container) => (nameOf(container) === "other" ? { exitCode: 1, afterMs: 1 } : { onSignal: () => 0 }),
      },
      node: { maxRestartDelayMs: 1_500 },
    },
  );
  await expect.poll(() => pod.status().containerStatuses[1]?.restartCount, { timeout: 20_000 }).toBeGreaterThan(2);
});

describe("disposal", () => {
  test("waits for a stop in progress, so that hooks run once", async () => {
    const { runtime, pod } = await startPod({
      terminationGracePeriodSeconds: 3,
      containers: [{ ...main, lifecycle: { preStop: { exec: { command: ["deregister"] } } } }],
    });
    await pod.waitReady(limit);
    runtime.delayNext("ExecSync", 300);
    const stopping = pod.stop();
    await runtime.nextCall("ExecSync");
    await Promise.all([stopping, pod.dispose()]);
    expect(runtime.callsOf("ExecSync")).toHaveLength(1);
    expect(runtime.pods).toEqual([]);
    expect(await pod.wait(limit)).toMatchObject({ phase: "Failed", exitCodes: { main: expect.any(Number) } });
  });

  test("rejects `ready` and `exited` of a pod that never got ready", async () => {
    const { cri } = await startFake();
    await using at = await temporaryNode();
    const readinessProbe = { exec: { command: ["check"] } };
    const pod = await planOf(
      { terminationGracePeriodSeconds: 0, containers: [{ ...main, readinessProbe }] },
      at.node,
    ).run(cri);
    onTestFinished(() => pod.dispose());
    const [ready, exited] = [rejection(pod.ready), rejection(pod.exited)];
    await pod.dispose();
    expect([await ready, await exited]).toEqual([
      expect.objectContaining({ code: "CANCELLED" }),
      expect.objectContaining({ code: "CANCELLED" }),
    ]);
  });
});

test("release during disposal does not end it, and keeps the lock until then", async () => {
  const { runtime, cri, plan, pod } = await startPod({ terminationGracePeriodSeconds: 0, containers: [main] });
  await pod.waitReady(limit);
  runtime.delayNext("RemovePodSandbox", 300);
  const disposal = pod.dispose();
  await runtime.nextCall("RemovePodSandbox");
  await pod.release();
  await disposal;
  expect(runtime.pods).toEqual([]);
  await using next = await plan.run(cri);
  expect(next.adopted).toBe(false);
});

test("a closed client ends the events", async () => {
  const { cri, pod } = await startPod({ containers: [main] });
  await pod.waitReady(limit);
  await cri.close();
  const reasons: string[] = [];
  for await (const { reason } of pod.events()) reasons.push(reason);
  expect(reasons).toEqual(["Pulled", "Created", "Started"]);
  await pod.release();
});

test("a released pod does not become ready", async () => {
  const { plan, cri, pod } = await startPod({ terminationGracePeriodSeconds: 0, containers: [main] });
  await pod.waitReady(limit);
  await pod.release();
  expect(await rejection(pod.waitReady(limit))).toMatchObject({ code: "CANCELLED" });
  await (await plan.run(cri)).dispose();
});

test("a sidecar that crashes while the pod stops is not started again", async () => {
  const { runtime, pod } = await startPod(
    {
      terminationGracePeriodSeconds: 5,
      initContainers: [{ name: "proxy", image: "busybox:1", restartPolicy: "Always" }],
      containers: [{ ...main, lifecycle: { preStop: { exec: { command: ["deregister"] } } } }],
    },
    { fake: { run: () => ({ onSignal: () => 0 }) } },
  );
  await pod.waitReady(limit);
  runtime.delayNext("ExecSync", 300);
  const stopping = pod.stop();
  await runtime.nextCall("ExecSync");
  const cri = await runtime.connect();
  onTestFinished(() => cri.close());
  await cri.containers.get(pod.container("proxy").id).stop({ gracePeriodSeconds: 0 });
  await stopping;
  expect(await pod.wait(limit)).toMatchObject({ phase: "Succeeded", exitCodes: { main: 0 } });
  expect(runtime.callsOf("CreateContainer")).toHaveLength(2);
});

test("commands of probes that fail do not reveal environment variables", async () => {
  const command = ["check", "--password=$(PASSWORD)"];
  const probe = { exec: { command }, periodSeconds: 1, timeoutSeconds: 1 };
  const { runtime, pod } = await startPod(
    {
      terminationGracePeriodSeconds: 0,
      containers: [{ ...main, env: [{ name: "PASSWORD", value: "s3cr3t" }], readinessProbe: probe }],
    },
    { fake: { exec: () => ({ exitCode: 1, afterMs: 60_000 }) } },
  );
  const messages: string[] = [];
  for await (const { reason, message } of pod.events()) {
    messages.push(message);
    if (reason === "Unhealthy") break;
  }
  expect(runtime.callsOf("ExecSync")[0]?.request.cmd).toEqual(["check", "--password=s3cr3t"]);
  expect(messages.at(-1)).toContain("Readiness probe");
  expect(messages.join()).not.toContain("s3cr3t");
});
