import { readFile } from "node:fs/promises";
import {
  context,
  DiagLogLevel,
  diag,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, type ReadableSpan } from "@opentelemetry/sdk-trace-base";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { runManifest } from "../../../src/kubernetes/index.js";
import { instrument } from "../../../src/otel/index.js";
import { temporaryNode } from "../../support/temporary-node.js";
import { rejection, startFake } from "../support.js";
import { telemetryInMemory } from "./telemetry.js";

const quick = { initialBackoffMs: 1, maxBackoffMs: 5 };
const method = (rpc: string) => `runtime.v1.RuntimeService/${rpc}`;

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

/** Instruments all clients until the test has finished, with SDKs that keep everything in memory. */
function record() {
  const { providers, spans, points } = telemetryInMemory();
  const { disable } = instrument({ ...providers, propagator: new W3CTraceContextPropagator() });
  onTestFinished(disable);
  const tracer = providers.tracerProvider.getTracer("test");
  return { finished: () => spans.getFinishedSpans(), tracer, points, provider: providers };
}

/** Describes the span with those that it is a part of. */
function pathOf(span: ReadableSpan, all: readonly ReadableSpan[]): string {
  const parent = all.find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId);
  return `${parent ? `${pathOf(parent, all)} > ` : ""}${span.name.replace(/runtime\.v1\.\w+Service\//, "")}`;
}

async function within<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(context.active(), span), work);
  } finally {
    span.end();
  }
}

describe("spans", () => {
  test("of a call with retries are parts of the caller's span, and carry the conventions' attributes", async () => {
    const { finished, tracer } = record();
    const { runtime, cri } = await startFake();
    runtime.failNext("ContainerStatus", { code: "UNAVAILABLE" });
    const call = () => rejection(cri.containers.get("missing").status({ retry: quick }));
    await within(tracer.startSpan("request"), call);
    const all = finished();
    const attempt = `request > ContainerStatus > Attempt.ContainerStatus`;
    expect(all.map((span) => pathOf(span, all))).toEqual([attempt, attempt, "request > ContainerStatus", "request"]);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
    const socket = runtime.endpoint.replace("unix://", "");
    const server = { "server.address": socket, "network.transport": "unix", "container.id": "missing" };
    const rpc = { "rpc.system.name": "grpc", "rpc.method": method("ContainerStatus") };
    expect(all.map(({ kind, status, attributes }) => ({ kind, status: status.code, attributes }))).toMatchObject([
      {
        kind: SpanKind.CLIENT,
        status: SpanStatusCode.ERROR,
        attributes: { ...rpc, ...server, "cri.attempt.number": 1, "rpc.status_code": "UNAVAILABLE" },
      },
      { attributes: { ...rpc, ...server, "cri.attempt.number": 2, "rpc.status_code": "NOT_FOUND" } },
      {
        kind: SpanKind.CLIENT,
        status: SpanStatusCode.ERROR,
        attributes: {
          ...rpc,
          ...server,
          "cri.call.attempts": 2,
          "rpc.status_code": "NOT_FOUND",
          "error.type": "NOT_FOUND",
          "cri.error.code": "NOT_FOUND",
        },
      },
      { status: SpanStatusCode.UNSET },
    ]);
  });

  test("of attempts are what the runtime gets as traceparent", async () => {
    const { finished } = record();
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE" });
    await cri.version({ retry: quick });
    const attempts = finished().filter(({ name }) => name.startsWith("Attempt."));
    expect(runtime.callsOf("Version").map(({ metadata }) => metadata.traceparent)).toEqual(
      attempts.map((span) => {
        const { traceId, spanId } = span.spanContext();
        return `00-${traceId}-${spanId}-01`;
      }),
    );
  });

  test("of a workflow contain its calls, pulls and sessions", async () => {
    const { finished } = record();
    const { cri } = await startFake({ exec: () => ({ exitCode: 4, stdout: "abc" }) });
    const pod = await cri.pods.run({ name: "p", namespace: "shop" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "registry.example:5000/app:2" });
    await container.execOutput(["x"]);
    const all = finished();
    const create = "containers.run > containers.create";
    expect(all.map((span) => pathOf(span, all))).toEqual(
      expect.arrayContaining([
        "pods.run > RunPodSandbox > Attempt.RunPodSandbox",
        `${create} > images.ensure > images.pull > PullImage > Attempt.PullImage`,
        `${create} > CreateContainer > Attempt.CreateContainer`,
        "containers.run > container.start > StartContainer > Attempt.StartContainer",
        "exec > Exec > Attempt.Exec",
      ]),
    );
    const attributesOf = (name: string) => all.find((span) => span.name === name)?.attributes;
    expect(attributesOf("pods.run")).toMatchObject({
      "k8s.pod.name": "p",
      "k8s.namespace.name": "shop",
      "k8s.pod.uid": expect.any(String),
      "cri.pod_sandbox.id": pod.id,
    });
    expect(attributesOf("containers.run")).toMatchObject({
      "container.id": container.id,
      "k8s.container.name": "c",
      "container.image.name": "registry.example:5000/app",
      "container.image.tags": ["2"],
    });
    expect(attributesOf("exec")).toMatchObject({
      "container.id": container.id,
      "process.exit.code": 4,
      "cri.session.transport": "spdy",
      "cri.session.received_bytes": 3,
    });
    expect(all.find(({ name }) => name === "pods.run")?.kind).toBe(SpanKind.INTERNAL);
  });

  test("of clients that work at the same time do not mix", async () => {
    const { finished, tracer } = record();
    const clients = await Promise.all([startFake(), startFake(), startFake()]);
    await Promise.all(
      clients.map(({ cri }, index) =>
        within(tracer.startSpan(`request ${index}`), () => cri.pods.run({ name: `pod-${index}` })),
      ),
    );
    const all = finished();
    for (const [index, { runtime }] of clients.entries()) {
      const mine = all.filter((span) => pathOf(span, all).startsWith(`request ${index} > `));
      expect(mine.map(({ name }) => name)).toContain(method("RunPodSandbox"));
      const sockets = new Set(mine.map(({ attributes }) => `unix://${attributes["server.address"]}`));
      expect([...sockets]).toEqual([runtime.endpoint]);
    }
  });

  test("of a program's own spans in middleware stand between the call and what they contain", async () => {
    const { finished, tracer } = record();
    const { cri } = await startFake(
      {},
      {
        attemptMiddleware: [
          async function* own(call, options) {
            const span = tracer.startSpan("own");
            try {
              return yield* call.next(call.request, options);
            } finally {
              span.end();
            }
          },
        ],
      },
    );
    await cri.version();
    const all = finished();
    expect(all.map((span) => pathOf(span, all))).toContain("Version > Attempt.Version > own");
  });

  test("of a stream are not active in the loop that reads it", async () => {
    const { finished, tracer } = record();
    const { cri } = await startFake({ flavor: "containerd-2" });
    const request = tracer.startSpan("request");
    const active = await within(request, async () => {
      const pods = setInterval(() => void cri.pods.run({ name: `p${Math.random()}` }).catch(() => {}), 20);
      for await (const _ of cri.raw.runtime.getContainerEvents({})) {
        clearInterval(pods);
        return trace.getActiveSpan();
      }
      return undefined;
    });
    expect(active).toBe(request);
    const all = finished();
    expect(all.map((span) => pathOf(span, all))).toContain("request > GetContainerEvents > Attempt.GetContainerEvents");
  });

  test("of a failed call have the status as error.type, next to the code of the error", async () => {
    const { finished } = record();
    const { cri } = await startFake();
    await cri.pods.run({ name: "twice", uid: "one" });
    await rejection(cri.pods.run({ name: "twice", uid: "one", labels: { changed: "yes" } }));
    const attributesOf = (name: string) => finished().findLast((one) => one.name === name)?.attributes;
    const call = attributesOf(method("RunPodSandbox"));
    expect(call).toMatchObject({ "error.type": call?.["rpc.status_code"], "cri.error.code": "NAME_RESERVED" });
    expect(call?.["rpc.status_code"]).not.toBe("NAME_RESERVED");
    expect(attributesOf("pods.run")).toMatchObject({ "error.type": "NAME_RESERVED" });
  });

  test("have the scope, with the version of the package and of the conventions", async () => {
    const { finished } = record();
    const { cri } = await startFake();
    await cri.version();
    const { version } = JSON.parse(await readFile("package.json", "utf8"));
    for (const { instrumentationScope } of finished()) {
      expect(instrumentationScope).toMatchObject({ name: "k8s-cri-client", version });
      expect(instrumentationScope.schemaUrl).toMatch(/\/1\.45\.0$/);
    }
  });

  test("of aborted operations are errors, those of closed sessions are not", async () => {
    const { finished } = record();
    const { runtime, cri } = await startFake({ exec: () => async () => new Promise<number>(() => {}) });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const session = await container.exec(["x"]);
    await session.close();
    await rejection(session.exit);
    runtime.hangNext("Version");
    await rejection(cri.version({ signal: AbortSignal.timeout(20) }));
    const outcomeOf = (name: string) => {
      const span = finished().findLast((one) => one.name === name);
      return [span?.attributes["error.type"], span?.attributes["cri.ended_early"], span?.status.code];
    };
    expect(outcomeOf("exec")).toEqual([undefined, true, SpanStatusCode.UNSET]);
    expect(outcomeOf(method("Version"))).toEqual(["CANCELLED", undefined, SpanStatusCode.ERROR]);
    const signal = AbortSignal.timeout(20);
    await rejection(container.wait({ signal }));
    expect(outcomeOf("waitFor")).toEqual(["CANCELLED", undefined, SpanStatusCode.ERROR]);
    const abort = new AbortController();
    const aborted = await container.exec(["x"], { signal: abort.signal });
    abort.abort();
    await rejection(aborted.exit);
    expect(outcomeOf("exec")).toEqual(["CANCELLED", undefined, SpanStatusCode.ERROR]);
  });

  test("and metrics agree on what is an error", async () => {
    const { finished, points } = record();
    const { cri } = await startFake({ exec: () => async () => new Promise<number>(() => {}) });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    const session = await container.exec(["x"]);
    await session.close();
    await rejection(session.exit);
    await rejection(cri.containers.get("missing").status());
    for (const { attributes, status } of finished()) {
      expect(status.code === SpanStatusCode.ERROR).toBe("error.type" in attributes);
    }
    const durations = await points("cri.client.session.duration");
    expect(durations.map(({ attributes }) => attributes["error.type"])).toEqual([undefined]);
    const calls = await points("rpc.client.call.duration");
    expect(calls.map(({ attributes }) => attributes["error.type"]).filter(Boolean)).toEqual(["NOT_FOUND"]);
  });

  test("of a running pod's steps are traces of their own, with a link to what started the pod", async () => {
    const { finished, tracer } = record();
    const { cri } = await startFake();
    await using at = await temporaryNode();
    const manifest = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web" },
      spec: { containers: [{ name: "c", image: "busybox:1" }] },
    };
    const running = await within(tracer.startSpan("request"), () => runManifest(cri, manifest, { node: at.node }));
    await running.waitReady();
    await running.dispose();
    const all = finished();
    const started = all.find(({ name }) => name === "runManifest");
    expect(started && pathOf(started, all)).toBe("request > runManifest");
    expect(started?.attributes).toMatchObject({ "k8s.pod.name": "web", "k8s.namespace.name": "default" });
    const run = all.find(({ name }) => name === "plan.run");
    expect(run && pathOf(run, all)).toBe("request > runManifest > plan.run");
    const steps = all.filter(({ name }) => name === "runningPod.sync");
    expect(steps).not.toEqual([]);
    for (const { parentSpanContext, links } of steps) {
      expect(parentSpanContext).toBeUndefined();
      expect(links.map(({ context: { traceId } }) => traceId)).toEqual([started?.spanContext().traceId]);
    }
    const paths = all.map((span) => pathOf(span, all));
    expect(paths).toContain("runningPod.sync > RunPodSandbox > Attempt.RunPodSandbox");
    expect(paths).toContain("runningPod.dispose > pod.remove > RemovePodSandbox > Attempt.RemovePodSandbox");
    expect(all.filter(({ attributes }) => "error.type" in attributes).map(({ name }) => name)).toEqual([]);
  });

  test("of a running pod say what happened: a pull that failed, its retry, probes and commands", async () => {
    const { finished } = record();
    let isHealthy = false;
    const exec = (_: unknown, [name]: readonly string[]) => ({ exitCode: name === "check" && !isHealthy ? 1 : 0 });
    const { runtime, cri } = await startFake({ exec });
    await using at = await temporaryNode();
    runtime.failNext("PullImage", { code: "UNKNOWN", message: "no route to host" });
    const readinessProbe = { exec: { command: ["check"] }, periodSeconds: 1 };
    const lifecycle = { postStart: { exec: { command: ["greet"] } } };
    const container = {
      name: "c",
      image: "registry.example/app:1",
      imagePullPolicy: "Always",
      readinessProbe,
      lifecycle,
    };
    const manifest = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: { containers: [container] } };
    await using running = await runManifest(cri, manifest, { node: { ...at.node, maxRestartDelayMs: 1_000 } });
    const probes = () => finished().filter(({ name }) => name === "runningPod.readinessProbe");
    await expect.poll(() => probes().length, { timeout: 30_000 }).toBeGreaterThan(0);
    isHealthy = true;
    await running.waitReady({ timeoutMs: 30_000 });
    const all = finished();
    const failed = probes().find(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed?.attributes).toMatchObject({
      "error.type": "PROBE_FAILED",
      "k8s.container.name": "c",
      "k8s.pod.name": "web",
    });
    expect(failed?.parentSpanContext).toBeUndefined();
    expect(probes().at(-1)?.status.code).toBe(SpanStatusCode.UNSET);
    const command = all.find((span) => pathOf(span, all) === "runningPod.readinessProbe > ExecSync");
    expect(command?.attributes).toMatchObject({ "process.exit.code": 1 });
    const events = all
      .filter(({ name }) => name === "runningPod.sync")
      .flatMap(({ attributes }) => attributes["cri.pod.events"]);
    expect(events).toEqual(expect.arrayContaining(["Pulling", "Failed", "Pulled", "Created", "Started"]));
    const paths = all.map((span) => pathOf(span, all));
    expect(paths.filter((path) => path === "runningPod.sync > images.pull > PullImage").length).toBeGreaterThan(1);
    expect(paths).toContain("runningPod.sync > ExecSync > Attempt.ExecSync");
  });

  test("are still parts of each other without a context manager", async () => {
    context.disable();
    onTestFinished(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
    const { finished } = record();
    const { cri } = await startFake();
    await cri.pods.run({ name: "p" });
    const all = finished();
    expect(all.map((span) => pathOf(span, all))).toContain("pods.run > RunPodSandbox > Attempt.RunPodSandbox");
  });
});

describe("metrics", () => {
  test("count calls, attempts, retries and bytes", async () => {
    const { points } = record();
    const { runtime, cri } = await startFake();
    runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
    await cri.version({ retry: quick });
    const rpc = { "rpc.method": method("Version"), "rpc.system.name": "grpc" };
    expect(await points("rpc.client.call.duration")).toMatchObject([
      { attributes: { ...rpc, "rpc.status_code": "OK" }, value: { count: 1 } },
    ]);
    expect(await points("cri.client.attempts")).toMatchObject([
      { attributes: { ...rpc, "rpc.status_code": "UNAVAILABLE", "error.type": "UNAVAILABLE" }, value: 2 },
      { attributes: { ...rpc, "rpc.status_code": "OK" }, value: 1 },
    ]);
    expect((await points("cri.client.retries")).reduce((sum, { value }) => sum + (value as number), 0)).toBe(2);
    const received = await points("cri.client.received");
    expect(received.at(-1)?.value).toBeGreaterThan(0);
  });

  test("follow sessions and workflows", async () => {
    const { points } = record();
    const { cri } = await startFake({ exec: () => ({ exitCode: 0, stdout: "12345" }) });
    const pod = await cri.pods.run({ name: "p" });
    const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
    await container.execOutput(["x"]);
    const session = { "cri.session.kind": "exec" };
    expect(await points("cri.client.session.active")).toMatchObject([{ attributes: session, value: 0 }]);
    expect(await points("cri.client.session.duration")).toMatchObject([{ attributes: session, value: { count: 1 } }]);
    expect(await points("cri.client.session.io")).toMatchObject([
      { attributes: { ...session, "network.io.direction": "transmit" }, value: 0 },
      { attributes: { ...session, "network.io.direction": "receive" }, value: 5 },
    ]);
    const workflows = (await points("cri.client.workflow.duration")).map(
      ({ attributes }) => attributes["cri.workflow.name"],
    );
    expect(workflows).toEqual(expect.arrayContaining(["pods.run", "containers.run"]));
  });
});

test("nothing is recorded after disable()", async () => {
  const { providers, spans } = telemetryInMemory();
  const instrumentation = instrument(providers);
  const { runtime, cri } = await startFake();
  instrumentation.disable();
  instrumentation.disable();
  await cri.version();
  expect(spans.getFinishedSpans()).toEqual([]);
  expect(runtime.callsOf("Version")[0]?.metadata).not.toHaveProperty("traceparent");
});

test("operations in progress are recorded when they end, even after disable()", async () => {
  const { providers, spans, points } = telemetryInMemory();
  const { cri } = await startFake({ exec: () => async () => new Promise<number>(() => {}) });
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  const instrumentation = instrument(providers);
  const session = await container.exec(["x"]);
  spans.reset();
  instrumentation.disable();
  await cri.version();
  await session.close();
  await rejection(session.exit);
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(["exec"]);
  expect((await points("cri.client.session.active")).map(({ value }) => value)).toEqual([0]);
});

test("instrument() twice records everything once, until both are disabled", async () => {
  const { finished, points, provider } = record();
  const second = instrument(provider);
  const { cri } = await startFake();
  await cri.version();
  const both = [method("Version"), `Attempt.${method("Version")}`];
  expect(finished().map(({ name }) => name)).toEqual([...both].reverse());
  expect(await points("rpc.client.call.duration")).toMatchObject([{ value: { count: 1 } }]);
  second.disable();
  second.disable();
  await cri.version();
  expect(finished()).toHaveLength(4);
});

test("instrument() for two providers makes two separate traces", async () => {
  const [first, second] = [record(), record()];
  const { cri } = await startFake();
  await cri.pods.run({ name: "p" });
  for (const { finished } of [first, second]) {
    const all = finished();
    expect(all.map((span) => pathOf(span, all))).toContain("pods.run > RunPodSandbox > Attempt.RunPodSandbox");
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
  }
});

test("a field of the propagator that gRPC cannot send is left out, and its value is not logged", async () => {
  const warnings: unknown[] = [];
  diag.setLogger({ ...diag, warn: (...args: unknown[]) => warnings.push(args) } as never, DiagLogLevel.WARN);
  onTestFinished(() => diag.disable());
  const propagator = {
    inject(_context: unknown, carrier: unknown, setter: { set(carrier: unknown, name: string, value: string): void }) {
      setter.set(carrier, "baggage", "secret=käse");
      setter.set(carrier, "traceparent", "kept");
    },
    extract: (context: unknown) => context,
    fields: () => [],
  };
  using _ = instrument({ tracerProvider: new BasicTracerProvider(), propagator: propagator as never });
  const { runtime, cri } = await startFake();
  await cri.version();
  const [call] = runtime.callsOf("Version");
  expect(call?.metadata).toMatchObject({ traceparent: "kept" });
  expect(call?.metadata).not.toHaveProperty("baggage");
  expect(JSON.stringify(warnings)).toContain("baggage");
  expect(JSON.stringify(warnings)).not.toContain("secret");
});

test("the global propagator is used unless another one is given", async () => {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  onTestFinished(() => propagation.disable());
  const tracerProvider = new BasicTracerProvider();
  using _ = instrument({ tracerProvider });
  const { runtime, cri } = await startFake();
  await cri.version();
  expect(runtime.callsOf("Version")[0]?.metadata.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test.each([
  ["tracerProvider", { tracerProvider: {} }],
  ["meterProvider", { meterProvider: { getTracer() {} } }],
  ["propagator", { propagator: "w3c" }],
])("refuses an invalid %s", (field, options) => {
  expect(() => instrument(options as never)).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
});
