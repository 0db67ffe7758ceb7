/**
 * Serves the resource usage of the node's pods and containers to Prometheus. Without a port, it sends itself one request and prints
 * the reply.
 *
 *     CONTAINER_RUNTIME_ENDPOINT=unix:///run/containerd/containerd.sock npx tsx examples/exporter.ts 9417
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CriClient } from "k8s-cri-client";
import { contentType, formatUsage } from "k8s-cri-client/prometheus";

const port = process.argv[2];
const cri = await CriClient.connect();

const server = createServer(async (request, response) => {
  if (request.url !== "/metrics") return response.writeHead(404).end();
  try {
    const text = formatUsage(await cri.stats.snapshot({ timeoutMs: 9_000 }));
    response.setHeader("content-type", contentType).end(text);
  } catch (error) {
    response.writeHead(503).end(String(error)); // Prometheus records a failed scrape and retries.
  }
});
server.listen(Number(port ?? 0), port === undefined ? "127.0.0.1" : undefined);
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;

if (port === undefined) {
  const response = await fetch(url);
  const text = await response.text();
  server.close();
  await cri.close();
  assert.equal(response.status, 200, text);
  assert.match(text, /^resource_scrape_error [01]$/m);
  console.log(text);
} else console.log(`Serving ${url}`);
