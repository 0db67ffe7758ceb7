/**
 * The spans of a real containerd are parts of this client's spans. The test starts a containerd of its own, with tracing. Debian's
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
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { expect, onTestFinished, test } from "vitest";
import { CriClient } from "../../src/index.js";
import { instrument } from "../../src/otel/index.js";
import { containerdPid } from "./helpers/containerd-process.js";
import { describeRuntimes, type Runtime } from "./support.js";

/** Receives spans over OTLP until the test has finished. */
async function receiver(): Promise<{ url: string; received: () => Buffer }> {
  const bodies: Buffer[] = [];
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => bodies.push(chunk));
    request.on("end", () => response.setHeader("content-type", "application/x-protobuf").end());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received: () => Buffer.concat(bodies) };
}

/** Starts a second containerd from the program of the runtime, and returns its endpoint. */
async function startTraced(program: string, otlpUrl: string): Promise<string> {
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
  onTestFinished(async () => {
    containerd.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  return `unix://${socket}`;
}

const programOf = ({ endpoint }: Runtime) => readlink(`/proc/${containerdPid(endpoint)}/exe`);

describeRuntimes(
  (runtime) => {
    test.skipIf(runtime.lab === undefined)("the spans of containerd 2 are parts of the attempts", async () => {
      const program = await programOf(runtime);
      const { url, received } = await receiver();
      const endpoint = await startTraced(program, url);
      const spans = new InMemorySpanExporter();
      const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
      using _ = instrument({ tracerProvider, propagator: new W3CTraceContextPropagator() });
      await using cri = CriClient.lazy({ endpoint });
      await expect.poll(() => cri.version().catch(() => undefined), { timeout: 60_000 }).toBeDefined();
      spans.reset();
      await cri.version();
      const attempt = spans.getFinishedSpans().find(({ name }) => name === "Attempt.runtime.v1.RuntimeService/Version");
      const { traceId, spanId } = attempt!.spanContext();
      // The fields trace_id (1) and parent_span_id (4) of a span in OTLP, with their lengths.
      const trace = Buffer.concat([Buffer.from([0x0a, 16]), Buffer.from(traceId, "hex")]);
      const parent = Buffer.concat([Buffer.from([0x22, 8]), Buffer.from(spanId, "hex")]);
      await expect.poll(() => received().includes(parent), { timeout: 30_000 }).toBe(true);
      expect(received().includes(trace)).toBe(true);
    });
  },
  { newestOnly: true },
);
