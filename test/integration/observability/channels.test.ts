import { tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import type { AttemptOperation, CallOperation, WorkflowOperation } from "../../../src/index.js";
import { ListContainersResponse } from "../../../src/proto.js";
import { rejection, startFake } from "../support.js";
import { collectOperations, pathOf } from "./operations.js";

const quick = { initialBackoffMs: 1, maxBackoffMs: 5 };

describe("calls", () => {
  test("publish a call with its attempts, ids, code and duration", async () => {
    const { runtime, cri } = await startFake();
    runtime.failNext("ContainerStatus", { code: "UNAVAILABLE", times: 2 });
    const operations = collectOperations();
    const container = cri.containers.get("missing");
    await rejection(container.status({ retry: quick }));
    const calls = operations.filter(({ kind }) => kind === "call") as CallOperation[];
    const attempts = operations.filter(({ kind }) => kind === "attempt") as AttemptOperation[];
    expect(calls).toMatchObject([
      {
        name: "RuntimeService/ContainerStatus",
        endpoint: runtime.endpoint,
        subject: { containerId: "missing" },
        outcome: "NOT_FOUND",
        status: "NOT_FOUND",
        attempts: 3,
        parent: undefined,
      },
    ]);
    expect(calls[0]?.durationMs).toBeGreaterThan(0);
    expect(attempts.map(({ attempt, outcome, parent }) => [attempt, outcome, parent === calls[0]])).toEqual([
      [1, "UNAVAILABLE", true],
      [2, "UNAVAILABLE", true],
      [3, "NOT_FOUND", true],
    ]);
  });

  test("of a list that is read in parts end with its reply, not with its reader", async () => {
    const { runtime, cri } = await startFake();
    const containers = Array.from({ length: 10_000 }, (_, index) => ({ id: `${index}`.padStart(64, "0") }));
    runtime.respondNext(
      "ListContainers",
      ListContainersResponse.encode(ListContainersResponse.fromPartial({ containers })).finish(),
    );
    const operations = collectOperations();
    for await (const _ of cri.containers.iterate()) break;
    expect(operations.map(({ kind, name, outcome, hasFailed }) => [kind, name, outcome, hasFailed])).toEqual([
      ["attempt", "RuntimeService/StreamContainers", "UNIMPLEMENTED", false],
      ["call", "RuntimeService/StreamContainers", "UNIMPLEMENTED", false],
      ["attempt", "RuntimeService/ListContainers", "OK", false],
      ["call", "RuntimeService/ListContainers", "OK", false],
    ]);
    expect((operations[2] as AttemptOperation).receivedBytes).toBeGreaterThan(10_000 * 64);
  });

  test("report this package's code next to the gRPC status", async () => {
    const { cri } = await startFake();
    await cri.pods.run({ name: "twice", uid: "one" });
    const operations = collectOperations();
    await rejection(cri.pods.run({ name: "twice", uid: "one", labels: { changed: "yes" } }));
    expect(operations.filter(({ kind }) => kind === "workflow")).toMatchObject([
      { name: "pods.run", outcome: "NAME_RESERVED", subject: { podName: "twice", podUid: "one" } },
    ]);
    const failed = operations.find(({ kind, outcome }) => kind === "call" && outcome !== "OK") as CallOperation;
    expect(failed).toMatchObject({ outcome: "NAME_RESERVED" });
    expect(failed.status).not.toBe("NAME_RESERVED");
  });

  test("of the raw stubs are published, too, and so are streams", async () => {
    const { cri } = await startFake();
    const operations = collectOperations(["call", "attempt"]);
    await cri.raw.runtime.version({});
    await cri.pods.list();
    expect(operations.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`)).toEqual([
      "attempt RuntimeService/Version OK",
      "call RuntimeService/Version OK",
      ...["attempt", "call"].map((kind) => `${kind} ${operations[2]?.name} ${operations[2]?.outcome}`),
      ...operations.slice(4).map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`),
    ]);
    expect(operations.at(-1)).toMatchObject({ kind: "call", outcome: "OK" });
    expect((operations[0] as AttemptOperation).receivedBytes).toBeGreaterThan(0);
  });

  test("that are aborted, time out or meet a closed client say so", async () => {
    const { runtime, cri } = await startFake();
    runtime.hangNext("Version", { times: 3 });
    const operations = collectOperations(["call"]);
    await rejection(cri.version({ signal: AbortSignal.timeout(20) }));
    await rejection(cri.version({ timeoutMs: 20 }));
    const pending = rejection(cri.version());
    await new Promise((resolve) => setTimeout(resolve, 20));
    await cri.close();
    await pending;
    expect(operations.map(({ outcome }) => outcome)).toEqual(["CANCELLED", "DEADLINE_EXCEEDED", "CLIENT_CLOSED"]);
    expect((operations as CallOperation[]).map(({ status }) => status)).toEqual([
      "CANCELLED",
      "DEADLINE_EXCEEDED",
      "CANCELLED",
    ]);
  });

  test("are parts of their workflow, whatever runs at the same time", async () => {
    const { cri } = await startFake();
    const { cri: other } = await startFake();
    const operations = collectOperations();
    const names = ["a", "b", "c"];
    await Promise.all(names.flatMap((name) => [cri.pods.run({ name }), other.pods.run({ name })]));
    const workflows = operations.filter(({ name }) => name === "pods.run") as WorkflowOperation[];
    expect(workflows).toHaveLength(2 * names.length);
    for (const call of operations.filter(({ name }) => name.endsWith("RunPodSandbox"))) {
      const workflow = call.kind === "attempt" ? call.parent?.parent : call.parent;
      expect(workflow).toMatchObject({ subject: { podName: call.subject.podName }, endpoint: call.endpoint });
    }
  });
});

describe("workflows", () => {
  test("contain the calls and the workflows that they consist of", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const operations = collectOperations(["call", "workflow"]);
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:2" });
    const paths = operations.map(pathOf);
    const create = "workflow containers.run > workflow containers.create";
    expect(paths).toEqual(
      expect.arrayContaining([
        `${create} > workflow images.ensure > call ImageStatus`,
        `${create} > workflow images.ensure > workflow images.pull > call PullImage`,
        `${create} > call CreateContainer`,
        "workflow containers.run > workflow container.start > call StartContainer",
        "workflow containers.run",
      ]),
    );
    expect(operations.at(-1)).toMatchObject({
      name: "containers.run",
      outcome: "OK",
      subject: { containerId: container.id, containerName: "c", podSandboxId: pod.id, image: "busybox:2" },
    });
  });

  test("in the background are parts of nothing, but know what started them", async () => {
    const { cri } = await startFake();
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const operations = collectOperations(["workflow"]);
    const waiting = container.wait();
    await expect.poll(() => operations.some(({ name }) => name === "watch.relist")).toBe(true);
    await container.stop();
    await waiting;
    const wait = operations.find(({ name }) => name === "waitFor");
    const relist = operations.find(({ name }) => name === "watch.relist");
    expect(relist).toMatchObject({ inBackground: true, parent: undefined, startedBy: wait });
  });
});

describe("sessions", () => {
  test.each(["spdy", "websocket"] as const)("report bytes and exit code at their end, over %s", async (transport) => {
    const { cri } = await startFake({ exec: () => ({ exitCode: 3, stdout: "12345", stderr: "67" }) });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const operations = collectOperations();
    await container.execOutput(["x"], { transport });
    expect(operations.map(pathOf)).toContain("session exec > call Exec > attempt Exec");
    expect(operations.find(({ kind }) => kind === "session")).toMatchObject({
      name: "exec",
      outcome: "OK",
      transport,
      exitCode: 3,
      sentBytes: 0,
      receivedBytes: 7,
      subject: { containerId: container.id },
    });
  });

  test("report the input of a command", async () => {
    const { cri } = await startFake({
      exec:
        () =>
        async ({ stdin }) => {
          for await (const _ of stdin);
          return 0;
        },
    });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const operations = collectOperations(["session"]);
    await container.execOutput(["x"], { input: "0123456789" });
    expect(operations).toMatchObject([{ sentBytes: 10, receivedBytes: 0 }]);
  });

  test("that cannot be opened, break or are closed report why", async () => {
    const { runtime, cri } = await startFake({ exec: () => async () => new Promise<number>(() => {}) });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const operations = collectOperations(["session"]);
    runtime.failNext("Exec", { code: "PERMISSION_DENIED" });
    await rejection(container.exec(["x"]));
    const controller = new AbortController();
    const aborted = await container.exec(["x"], { signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await rejection(aborted.exit);
    const closed = await container.exec(["x"]);
    await closed.close();
    await rejection(closed.exit);
    await rejection(container.exec(["x"], { timeoutMs: 100 }).then(({ exit }) => exit));
    expect(operations.map(({ outcome }) => outcome)).toEqual([
      "PERMISSION_DENIED",
      "CANCELLED",
      "CANCELLED",
      "DEADLINE_EXCEEDED",
    ]);
  });
});

describe("listeners", () => {
  test("get each operation from a tracing channel of Node.js", async () => {
    const { cri } = await startFake();
    const events: string[] = [];
    const subscribers = Object.fromEntries(
      ["start", "end", "asyncStart", "asyncEnd", "error"].map((event) => [event, () => events.push(event)]),
    ) as never;
    const calls = tracingChannel("k8s-cri-client:call");
    calls.subscribe(subscribers);
    onTestFinished(() => calls.unsubscribe(subscribers));
    await cri.version();
    expect(events.splice(0)).toEqual(["start", "end", "asyncStart", "asyncEnd"]);
    await rejection(cri.containers.get("missing").status());
    expect(events).toEqual(["start", "end", "error", "asyncStart", "asyncEnd"]);
  });

  test("can send metadata with each attempt, and run its work within a context", async () => {
    const { runtime, cri } = await startFake();
    const attempts = tracingChannel("k8s-cri-client:attempt");
    const runs: string[] = [];
    const start = (message: unknown) => {
      const attempt = message as AttemptOperation;
      attempt.setMetadata("traceparent", `attempt-${attempt.attempt}`);
      attempt.runWithin((work) => {
        runs.push(attempt.name);
        return work();
      });
    };
    attempts.start.subscribe(start);
    onTestFinished(() => void attempts.start.unsubscribe(start));
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    await cri.version({ retry: quick, metadata: { own: "kept" } });
    const sent = runtime.callsOf("Version").map(({ metadata }) => [metadata.traceparent, metadata.own]);
    expect(sent).toEqual([
      ["attempt-1", "kept"],
      ["attempt-2", "kept"],
    ]);
    expect(runs).toEqual(["RuntimeService/Version", "RuntimeService/Version"]);
  });

  test("do not see requests, replies or clients when they inspect an operation", async () => {
    const { cri } = await startFake();
    const operations = collectOperations();
    await cri.pods.run({ name: "p", annotations: { note: "annotation-content" } });
    expect(inspect(operations, { depth: null, showHidden: true })).not.toContain("annotation-content");
  });
});
