import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { Metrics } from "./metrics.js";

/** Serves `/metrics`, `/healthz` and `/readyz`. */
export async function serve(metrics: Metrics, program: { isReady(): boolean }): Promise<Server> {
  const server = createServer(({ url }, response) => {
    answer(url).then(
      ({ status = 200, body, type = "text/plain" }) => response.writeHead(status, { "content-type": type }).end(body),
      () => response.writeHead(500).end("the metrics cannot be collected\n"),
    );
  });
  const answer = async (url?: string): Promise<{ status?: number; body: string; type?: string }> => {
    switch (url) {
      case "/metrics":
        return { body: await metrics.text(), type: metrics.contentType };
      case "/healthz":
        return { body: "ok\n" };
      case "/readyz":
        return program.isReady() ? { body: "ok\n" } : { status: 503, body: "not synced\n" };
      default:
        return { status: 404, body: "there are /metrics, /healthz and /readyz\n" };
    }
  };
  server.listen(Number(process.env.PORT ?? 9477), process.env.HOST ?? "0.0.0.0");
  await once(server, "listening");
  return server;
}
