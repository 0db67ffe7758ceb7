import { execFile } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Registry } from "prom-client";
import { expect, onTestFinished, test } from "vitest";
import { instrument } from "../../../src/otel/index.js";
import { registerClientMetrics } from "../../../src/prometheus/index.js";
import { startFake } from "../support.js";
import { planted, useEverything } from "./planted-secrets.js";
import { telemetryInMemory } from "./telemetry.js";

/** Returns the planted secrets that occur in a text. */
const leaked = (text: string) => Object.values(planted).filter((secret) => text.includes(secret));

test("no secret reaches channels, spans or metrics", async () => {
  const messages: unknown[] = [];
  for (const kind of ["call", "attempt", "session", "workflow"]) {
    for (const event of ["start", "end", "asyncStart", "asyncEnd", "error"]) {
      const one = channel(`tracing:k8s-cri-client:${kind}:${event}`);
      const receive = (message: unknown) => messages.push(message);
      one.subscribe(receive);
      onTestFinished(() => void one.unsubscribe(receive));
    }
  }
  const { providers, spans, metrics } = telemetryInMemory();
  const registry = new Registry();
  using _instrumentation = instrument(providers);
  using _metrics = registerClientMetrics(registry);
  const { runtime, cri } = await startFake({ exec: () => ({ exitCode: 0, stdout: planted.output }) });
  await useEverything(cri, runtime);
  const everything = { depth: null, showHidden: true, maxArrayLength: null, maxStringLength: null } as const;
  const seen = {
    messages: `${inspect(messages, everything)}${JSON.stringify(messages, (key, value) => (/^parent|startedBy$/.test(key) ? undefined : value))}`,
    spans: inspect(
      spans
        .getFinishedSpans()
        .map(({ name, attributes, events, links, status }) => [name, attributes, events, links, status]),
      everything,
    ),
    metrics: inspect(await metrics(), everything),
    registry: await registry.metrics(),
  };
  for (const [where, text] of Object.entries(seen)) {
    expect(text, where).toContain("images.pull");
    expect(leaked(text), where).toEqual([]);
  }
});

test("NODE_DEBUG writes a line for each operation, without secrets", async () => {
  const program = fileURLToPath(new URL("./planted-secrets.ts", import.meta.url));
  const output = await new Promise<{ error: unknown; stderr: string }>((resolve) => {
    const env = { ...process.env, NODE_DEBUG: "k8s-cri-client" };
    const args = ["--import", "tsx", program, "run"];
    execFile(process.execPath, args, { env, timeout: 60_000 }, (error, _stdout, stderr) => resolve({ error, stderr }));
  });
  expect(output.error).toBeNull();
  const lines = output.stderr.split("\n").filter((line) => line.startsWith("K8S-CRI-CLIENT "));
  const text = lines.join("\n");
  expect(text).toMatch(/ #\d+ call RuntimeService\/Version OK \d+\.\d ms attempts=1 endpoint=unix:\S+$/m);
  expect(text).toMatch(/ #\d+ attempt ImageService\/PullImage OK .* attempt=1 receivedBytes=\d+ .* in=#\d+$/m);
  expect(text).toMatch(
    / #\d+ session exec OK .* transport=spdy exitCode=0 sentBytes=\d+ receivedBytes=\d+ containerId=/m,
  );
  expect(text).toMatch(/ #\d+ workflow containers\.run OK .* containerName=app /m);
  expect(leaked(output.stderr)).toEqual([]);
}, 90_000);
