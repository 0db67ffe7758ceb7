/**
 * Spans of sessions, copies and pods on real runtimes.
 *
 * The spans of a real containerd are parts of this client's spans. That test starts a containerd of its own, with tracing. Debian's
 * containerd 1.6 is built without the tracing plugins, and 1.7 without the interceptor that reads the context of a call.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readlink, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { SpanStatusCode } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { test } from "vitest";
import { CriClient } from "../../src/index.js";
import { instrument } from "../../src/otel/index.js";
import { containerdPid } from "./helpers/containerd-process.js";
import { eventually } from "./helpers/expectations.js";
import { folder } from "./helpers/folder.js";
import { journeys, sh } from "./helpers/journeys.js";
import { freePort } from "./lab/registry.js";
import { describeRuntimes, type Runtime } from "./support.js";

/** Receives spans over OTLP until it is disposed of. */
async function receiver(): Promise<Disposable & { url: string; received: () => Buffer }> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => bodies.push(chunk));
    request.on("end", () => response.setHeader("content-type", "application/x-protobuf").end());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => Buffer.concat(bodies),
    [Symbol.dispose]: () => void server.close(),
  };
}

/** Starts a second containerd from the program of the runtime. */
async function startTraced(program: string, otlpUrl: string): Promise<AsyncDisposable & { endpoint: string }> {
  const folder = await mkdtemp(join(tmpdir(), "cri-traced-"));
  const [socket, config] = [join(folder, "c.sock"), join(folder, "config.toml")];
  await writeFile(
    config,
    `version = 2
root = "${folder}/root"
state = "${folder}/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
address = "${socket}"
[ttrpc]
address = "${socket}.ttrpc"
`,
  );
  const env = {
    PATH: process.env.PATH,
    OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    OTEL_BSP_SCHEDULE_DELAY: "100",
  };
  const containerd = spawn(program, ["--config", config], { env, stdio: "ignore" });
  const ended = once(containerd, "exit");
  return {
    endpoint: `unix://${socket}`,
    async [Symbol.asyncDispose]() {
      containerd.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Records the spans of one runtime until it is disposed of. The journeys of other runtimes run at the same time. */
function recordSpans({ endpoint }: Runtime) {
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const { disable } = instrument({ tracerProvider, propagator: new W3CTraceContextPropagator() });
  const all = () =>
    spans.getFinishedSpans().filter(({ attributes }) => `unix://${attributes["server.address"]}` === endpoint);
  return { all, finished: (name: string) => all().filter((span) => span.name === name), [Symbol.dispose]: disable };
}

/** Returns the sum of an attribute of spans. */
const sumOf = (spans: readonly ReadableSpan[], attribute: string) =>
  spans.reduce((sum, { attributes }) => sum + Number(attributes[attribute]), 0);

journeys("tracing", (fixture) => {
  test("copies are spans, and their sessions have the bytes", async ({ expect }) => {
    const size = 300_000;
    await using at = await folder();
    await using local = await folder();
    const container = await fixture.container(await fixture.sharedPod(), { ...at.inside });
    await writeFile(join(local.path, "file"), Buffer.alloc(size));
    using recording = recordSpans(fixture.runtime);
    const { finished } = recording;
    await container.copyTo(join(local.path, "file"), `${at.path}/copied`);
    await container.writeFile(`${at.path}/written`, Buffer.alloc(size));
    await container.copyFrom(`${at.path}/copied`, join(local.path, "back"));
    await container.readFile(`${at.path}/copied`);
    await container.putArchive(at.path, await buffer(await container.getArchive(`${at.path}/copied`)));
    const copies = ["copyTo", "writeFile", "copyFrom", "readFile", "getArchive", "putArchive"];
    await expect.poll(() => finished("container.getArchive")).toHaveLength(1);
    const spans = copies.flatMap((name) => finished(`container.${name}`));
    expect(spans.map(({ status }) => status.code)).toEqual(copies.map(() => SpanStatusCode.UNSET));
    for (const span of spans) {
      expect(span.attributes["container.id"]).toBe(container.id);
      const inside = finished("exec").filter(
        ({ parentSpanContext }) => parentSpanContext?.spanId === span.spanContext().spanId,
      );
      const [sent, received] = ["sent_bytes", "received_bytes"].map((name) => sumOf(inside, `cri.session.${name}`));
      expect(Math.max(sent!, received!), span.name).toBeGreaterThanOrEqual(size);
      expect(Math.min(sent!, received!), span.name).toBeLessThan(10_000);
    }
    await container.dispose();
  });

  test.for(["spdy", "websocket"] as const)(
    "%s: port-forward sessions are spans without an error",
    async (transport, { expect }) => {
      const port = await freePort();
      await using at = await folder();
      await using pod = await fixture.pod();
      const command = sh(`echo hello > hello && exec httpd -f -p ${port} -h ${at.path}`);
      await using _ = await fixture.container(pod, { ...at.inside, command });
      await using forward = pod.portForward(port, { transport });
      const request = "GET /hello HTTP/1.0\r\n\r\n";
      const get = async () => {
        const connection = await forward.connect();
        connection.write(request);
        return text(connection);
      };
      await eventually(
        () => get().catch(String),
        (reply) => reply.endsWith("hello\n"),
      );
      using recording = recordSpans(fixture.runtime);
      const { finished, all } = recording;
      const reply = await get();
      await expect.poll(() => finished("portForward")).toHaveLength(1);
      const [span] = finished("portForward");
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(span?.attributes).toMatchObject({
        "cri.pod_sandbox.id": pod.id,
        "cri.session.transport": transport,
        "cri.session.sent_bytes": request.length,
        "cri.session.received_bytes": reply.length,
      });
      expect(all().filter(({ attributes }) => attributes["error.type"])).toEqual([]);
    },
  );
});

const programOf = ({ endpoint }: Runtime) => readlink(`/proc/${containerdPid(endpoint)}/exe`);

describeRuntimes(
  (runtime) => {
    test.skipIf(runtime.lab === undefined)(
      "the spans of containerd 2 are parts of the attempts",
      async ({ expect }) => {
        const program = await programOf(runtime);
        using collector = await receiver();
        const { url, received } = collector;
        await using traced = await startTraced(program, url);
        const spans = new InMemorySpanExporter();
        const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
        using _ = instrument({ tracerProvider, propagator: new W3CTraceContextPropagator() });
        await using cri = CriClient.lazy({ endpoint: traced.endpoint });
        await expect.poll(() => cri.version().catch(() => undefined), { timeout: 60_000 }).toBeDefined();
        spans.reset();
        await cri.version();
        const attempt = spans
          .getFinishedSpans()
          .find(({ name }) => name === "Attempt.runtime.v1.RuntimeService/Version");
        const { traceId, spanId } = attempt!.spanContext();
        // The fields trace_id (1) and parent_span_id (4) of a span in OTLP, with their lengths.
        const trace = Buffer.concat([Buffer.from([0x0a, 16]), Buffer.from(traceId, "hex")]);
        const parent = Buffer.concat([Buffer.from([0x22, 8]), Buffer.from(spanId, "hex")]);
        await expect.poll(() => received().includes(parent), { timeout: 30_000 }).toBe(true);
        expect(received().includes(trace)).toBe(true);
      },
    );
  },
  { newestOnly: true },
);
