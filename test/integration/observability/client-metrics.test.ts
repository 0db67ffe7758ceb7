import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Counter, Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { registerClientMetrics } from "../../../src/prometheus/index.js";
import { rejection, startFake } from "../support.js";

/** Serves a registry as a program would, and returns what a scrape gets. */
async function scraper(registry: Pick<Registry, "contentType" | "metrics">): Promise<() => Promise<string>> {
  const server = createServer(async (_, response) => {
    response.setHeader("content-type", registry.contentType).end(await registry.metrics());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

test("a scrape gets the metrics of calls, attempts, sessions and workflows", async () => {
  const registry = new Registry();
  using _ = registerClientMetrics(registry);
  const scrape = await scraper(registry);
  const { runtime, cri } = await startFake({ exec: () => ({ exitCode: 0, stdout: "12345" }) });
  const { endpoint } = runtime;
  runtime.failNext("Version", { code: "UNAVAILABLE", times: 2 });
  await cri.version({ retry: { initialBackoffMs: 1, maxBackoffMs: 5 } });
  await rejection(cri.containers.get("missing").status());
  const pod = await cri.pods.run({ name: "p" });
  const container = await cri.runContainerInSandbox(pod, { name: "c", image: "busybox:1" });
  await container.execOutput(["x"]);
  const text = await scrape();
  const lines = text.split("\n");
  const version = `method="RuntimeService/Version"`;
  expect(lines).toEqual(
    expect.arrayContaining([
      "# TYPE cri_client_call_duration_seconds histogram",
      `cri_client_call_duration_seconds_count{${version},code="OK",endpoint="${endpoint}"} 1`,
      `cri_client_call_duration_seconds_bucket{${version},code="OK",endpoint="${endpoint}",le="+Inf"} 1`,
      `cri_client_call_duration_seconds_count{method="RuntimeService/ContainerStatus",code="NOT_FOUND",endpoint="${endpoint}"} 1`,
      "# TYPE cri_client_attempts_total counter",
      `cri_client_attempts_total{${version},code="UNAVAILABLE",endpoint="${endpoint}"} 2`,
      `cri_client_retries_total{${version},endpoint="${endpoint}"} 2`,
      "# TYPE cri_client_active_sessions gauge",
      `cri_client_active_sessions{session="exec",endpoint="${endpoint}"} 0`,
      `cri_client_session_bytes_total{session="exec",endpoint="${endpoint}",direction="received"} 5`,
      `cri_client_workflow_duration_seconds_count{workflow="containers.run",code="OK",endpoint="${endpoint}"} 1`,
    ]),
  );
});

test("buckets are cumulative", async () => {
  const registry = new Registry();
  using _ = registerClientMetrics(registry);
  const { cri } = await startFake();
  for (let call = 0; call < 3; call++) await cri.version();
  const text = await registry.metrics();
  const counts = [...text.matchAll(/^cri_client_call_duration_seconds_bucket\{.*\} (\d+)$/gm)].map(([, n]) =>
    Number(n),
  );
  expect(counts.length).toBeGreaterThan(10);
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(counts.at(-1)).toBe(3);
});

test("the metrics follow the registry: JSON, OpenMetrics, default labels and reset", async () => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  registry.setDefaultLabels({ app: "agent" });
  const metrics = registerClientMetrics(registry as never);
  const { cri } = await startFake();
  await cri.version();
  const text = await registry.metrics();
  expect(text).toMatch(/^cri_client_attempts_total\{.*app="agent".*\} 1$/m);
  expect(text).toMatch(/# EOF\n$/);
  expect(await registry.getMetricsAsJSON()).toContainEqual(
    expect.objectContaining({ type: "counter", aggregator: "sum" }),
  );
  registry.resetMetrics();
  expect(await registry.metrics()).not.toMatch(/^cri_client_attempts_total\{/m);
  metrics.unregister();
  expect(registry.getMetricsAsArray()).toEqual([]);
});

test("unregister() removes the metrics and stops recording; a second registration of a name fails and leaves nothing", async () => {
  const registry = new Registry();
  const metrics = registerClientMetrics(registry, { prefix: "runtime_" });
  expect(await registry.metrics()).toContain("# TYPE runtime_attempts_total counter");
  metrics.unregister();
  metrics.unregister();
  expect(registry.getMetricsAsArray()).toEqual([]);
  new Counter({ name: "cri_client_retries_total", help: "of the program", registers: [registry] });
  expect(() => registerClientMetrics(registry)).toThrow("cri_client_retries_total");
  expect(registry.getMetricsAsArray()).toHaveLength(1);
});

test.each([
  ["registry", () => registerClientMetrics({} as never)],
  ["prefix", () => registerClientMetrics(new Registry(), { prefix: "my-app" })],
])("refuses an invalid %s", (field, call) => {
  expect(call).toThrow(expect.objectContaining({ code: "INVALID_INPUT", field }));
});
