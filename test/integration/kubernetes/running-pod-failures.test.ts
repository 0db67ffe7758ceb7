import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { RunningPod } from "../../../src/kubernetes/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { rejection, startFake } from "../support.js";
import { planOf, startPod } from "./support.js";

const limit = { timeoutMs: 20_000 };
const main = { name: "main", image: "busybox:1" };

/** Returns the reasons and messages of the events so far and of those until one has the reason. */
async function eventsUntil(pod: RunningPod, reason: string): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of pod.events()) {
    seen.push(`${event.reason}: ${event.message}`);
    if (event.reason === reason) break;
  }
  return seen;
}

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

describe("hooks of a running pod", () => {
  test("a failed postStart hook stops the container, which is then restarted", async () => {
    let fails = true;
    const { pod } = await startPod(
      {
        terminationGracePeriodSeconds: 1,
        containers: [{ ...main, lifecycle: { postStart: { exec: { command: ["register"] } } } }],
      },
      {
        fake: { exec: () => ({ exitCode: fails ? 9 : 0, stderr: "no registry" }), run: () => ({ onSignal: () => 0 }) },
      },
    );
    expect((await eventsUntil(pod, "Killing")).slice(-2)).toEqual([
      "FailedPostStartHook: PostStartHook failed: command exited with 9: no registry",
      "Killing: Stopping container main",
    ]);
    fails = false;
    await pod.waitReady(limit);
    expect(pod.status().containerStatuses[0]?.restartCount).toBeGreaterThan(0);
  });

  test("a preStop hook runs before the container is stopped, and uses up the grace period", async () => {
    const { runtime, pod } = await startPod({
      terminationGracePeriodSeconds: 7,
      containers: [{ ...main, lifecycle: { preStop: { sleep: { seconds: 1 } } } }],
    });
    await pod.waitReady(limit);
    await pod.stop();
    expect(runtime.callsOf("StopContainer")[0]?.request.timeout).toEqual(expect.objectContaining({ low: 6 }));
    expect(pod.status().phase).toBe("Failed");
  });

  test("a failed preStop hook does not keep the container from being stopped", async () => {
    const { pod } = await startPod(
      { containers: [{ ...main, lifecycle: { preStop: { exec: { command: ["deregister"] } } } }] },
      { fake: { exec: () => ({ exitCode: 1 }), run: () => ({ onSignal: () => 0 }) } },
    );
    await pod.waitReady(limit);
    await pod.stop({ gracePeriodSeconds: 5 });
    expect(await eventsUntil(pod, "FailedPreStopHook")).toContain("Killing: Stopping container main");
    expect(await pod.wait(limit)).toMatchObject({ phase: "Succeeded", exitCodes: { main: 0 } });
  });
});

describe("a running pod survives", () => {
  test("a restart of the runtime, without a restart of its containers", async () => {
    const { runtime, pod } = await startPod({ containers: [main] });
    await pod.waitReady(limit);
    await runtime.kill();
    await runtime.restart();
    await runtime.nextCall("ListContainers");
    await pod.waitReady(limit);
    expect(pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 0 });
    expect(runtime.callsOf("CreateContainer")).toHaveLength(1);
  });

  test("a reboot of the node: it gets another sandbox and its containers again", async () => {
    const { runtime, pod } = await startPod({ containers: [main], terminationGracePeriodSeconds: 0 });
    await pod.waitReady(limit);
    await runtime.kill();
    await runtime.restart({ containers: "lost" });
    await expect.poll(() => pod.columns()).toEqual({ ready: "1/1", status: "Running", restarts: 1 });
  });

  test.each(["RunPodSandbox", "CreateContainer", "StartContainer"] as const)(
    "a lost reply to %s, and creates each object once",
    async (rpc) => {
      const { runtime, cri } = await startFake();
      await using at = await temporaryNode();
      runtime.dropNext(rpc, "afterEffect");
      await using pod = await planOf({ containers: [main] }, at.node).run(cri);
      await pod.waitReady(limit);
      expect([runtime.pods.length, runtime.containers.length]).toEqual([1, 1]);
      expect(runtime.pendingFaults).toEqual([]);
    },
  );

  test.each(["RunPodSandbox", "CreateContainer", "StartContainer"] as const)(
    "a failure of %s: tries again, and reports why",
    async (rpc) => {
      const { runtime, cri } = await startFake();
      await using at = await temporaryNode();
      runtime.failNext(rpc, { code: "UNKNOWN", message: "no space left on device" });
      await using pod = await planOf({ containers: [main] }, at.node).run(cri);
      await pod.waitReady(limit);
      const events: string[] = [];
      for await (const { reason, type, message } of pod.events()) {
        if (type === "Warning") events.push(`${reason}: ${message}`);
        if (reason === "Started") break;
      }
      const expected =
        rpc === "RunPodSandbox"
          ? "FailedCreatePodSandBox: Failed to create pod sandbox: no space left on device"
          : "Failed: Error: no space left on device";
      expect(events[0]).toBe(expected);
    },
  );
});

test("the state of a pod says why it has no sandbox", async () => {
  const { runtime, cri } = await startFake();
  await using at = await temporaryNode();
  runtime.failNext("RunPodSandbox", { code: "UNKNOWN", message: "no space left on device", times: 100 });
  await using pod = await planOf({ containers: [main] }, at.node).run(cri);
  const waiting = () => pod.status().containerStatuses[0]?.state.waiting;
  await expect
    .poll(waiting)
    .toEqual({ reason: "ContainerCreating", message: "Failed to create pod sandbox: no space left on device" });
  runtime.clearFaults();
  await pod.waitReady(limit);
});

describe("disposal of a running pod", () => {
  test.each(["RunPodSandbox", "CreateContainer", "StartContainer", "PullImage"] as const)(
    "ends cleanly in the middle of %s",
    async (rpc) => {
      const { runtime, cri } = await startFake({ images: [] });
      await using at = await temporaryNode();
      runtime.delayNext(rpc, 300, { phase: rpc === "StartContainer" ? "beforeEffect" : "duringEffect" });
      const pod = await planOf({ containers: [main], terminationGracePeriodSeconds: 0 }, at.node).run(cri);
      await runtime.nextCall(rpc);
      await pod.dispose();
      expect([runtime.pods, runtime.containers]).toEqual([[], []]);
    },
  );

  test("reports a step that fails, does the others, and can be repeated", async () => {
    const { runtime, pod } = await startPod({
      containers: [main, { name: "other", image: "busybox:1" }],
      terminationGracePeriodSeconds: 0,
    });
    await pod.waitReady(limit);
    runtime.failNext("RemoveContainer", { code: "UNKNOWN", message: "device or resource busy" });
    expect(await rejection(pod.dispose())).toMatchObject({ code: "UNKNOWN", details: "device or resource busy" });
    expect(runtime.containers).toEqual([]);
    await pod.dispose();
    expect(runtime.pods).toEqual([]);
  });

  test("ends the waits and the events", async () => {
    const { pod } = await startPod({ containers: [main], terminationGracePeriodSeconds: 0 });
    await pod.waitReady(limit);
    const waiting = rejection(pod.wait());
    await pod.dispose();
    expect(await waiting).toMatchObject({ code: "CANCELLED" });
    expect((await eventsUntil(pod, "none")).at(-1)).toBe("Killing: Stopping container main");
    expect(await rejection(pod.stop())).toMatchObject({ code: "FAILED_PRECONDITION" });
  });
});

test("the signal of a client ends the work, waits, streams and stops; disposal continues", async () => {
  const { runtime, cri, node } = await startPod({ containers: [main] });
  const stopping = new AbortController();
  const pod = await planOf({ containers: [main], terminationGracePeriodSeconds: 0 }, node, "other").run(
    cri.with({ signal: stopping.signal }),
  );
  onTestFinished(() => pod.dispose());
  await pod.waitReady(limit);
  const endings = [pod.wait(), readAll(pod.events()), readAll(pod.statuses())].map(rejection);
  const reason = new Error("shutting down");
  stopping.abort(reason);
  expect(await Promise.all(endings)).toEqual([reason, reason, reason]);
  expect(await rejection(pod.stop())).toBe(reason);
  await pod.dispose();
  expect(runtime.pods.map(({ metadata }) => metadata?.name)).toEqual(["web"]);
});

test("a closed client ends the waits with its error", async () => {
  const { cri, pod } = await startPod({ containers: [main] });
  await pod.waitReady(limit);
  const waiting = rejection(pod.wait());
  await cri.close();
  expect(await waiting).toMatchObject({ code: "CLIENT_CLOSED" });
  await expect(pod.dispose()).rejects.toMatchObject({ code: "CLIENT_CLOSED" });
  await pod.release();
});

test("the log of a pod continues with each attempt, and ends with the pod", async () => {
  const { pod } = await startPod(
    { restartPolicy: "OnFailure", containers: [main] },
    {
      fake: {
        run: ({ config }) => {
          const attempt = config.metadata?.attempt ?? 0;
          return { exitCode: attempt < 2 ? 1 : 0, afterMs: 300, stdout: `attempt ${attempt}\n` };
        },
      },
    },
  );
  const lines: string[] = [];
  for await (const { container, text } of pod.logs({ follow: true, ...limit })) lines.push(`${container}: ${text}`);
  expect(lines).toEqual(["main: attempt 0", "main: attempt 1", "main: attempt 2"]);
});

test("the handle shows its identity and status, and no secrets", async () => {
  const { pod } = await startPod({ containers: [{ ...main, env: [{ name: "PASSWORD", value: "s3cr3t" }] }] });
  await pod.waitReady(limit);
  expect(inspect(pod)).toBe("RunningPod default/web { 1/1 Running, restarts: 0 }");
  expect(JSON.parse(JSON.stringify(pod))).toMatchObject({
    name: "web",
    namespace: "default",
    status: { phase: "Running" },
  });
  expect(JSON.stringify(pod) + inspect(pod, { depth: 20, showHidden: true })).not.toContain("s3cr3t");
});

test("a container is named by the current attempt, and refused if the pod has none with the name", async () => {
  const { pod } = await startPod({ containers: [main] });
  await pod.waitReady(limit);
  expect(await pod.container("main").state()).toBe("running");
  expect(() => pod.container("mian")).toThrow('name: must be one of "main", got "mian"');
});
